"""Resolving and checking the values of a config."""

from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from colorizer.config.bounds import check_bounds
from colorizer.config.build import find_target
from colorizer.config.keys import PARTS
from colorizer.errors import UserError, first_line, nearest
from colorizer.metrics import better

# The metric that runs of all tasks have.
SHARED = "val/mse"


# Beside the representation, the keys that an objective depends on.
UNITS = ("model._target_", "model.noise", "model.guide")


def common_monitor(configs: Sequence[DictConfig]) -> str | None:
    """The metric by which runs with these configs can be compared; None where there is none.

    Metrics of images compare all runs. Other objectives, such as a velocity's error, are on a scale
    of the representation and of `UNITS`.
    """
    monitors = {str(config.get("monitor", SHARED)) for config in configs}
    if len(monitors) > 1:
        return None
    (monitor,) = monitors
    kinds = [
        (config.get("representation"), *(OmegaConf.select(config, key) for key in UNITS))
        for config in configs
    ]
    alike = all(kind == kinds[0] for kind in kinds)
    return monitor if alike or monitor.removeprefix("val/") in better() else None


def resolved(config: DictConfig, run_dir: str) -> DictConfig:
    """A resolved copy without Hydra's own part, for a run in `run_dir`.

    Raises:
        UserError: an interpolation without a value, a value that is left open (???), or one that
            cannot be.
    """
    config = config.copy()
    with open_dict(config):
        config.pop("hydra", None)
        config.run_dir = run_dir
        for part in PARTS:
            config.setdefault(part, None)
    config.monitor_mode = monitor_mode(config)
    try:
        OmegaConf.resolve(config)
        missing = sorted(OmegaConf.missing_keys(config))
    except OmegaConfBaseException as error:
        raise UserError(first_line(error)) from error
    if missing:
        raise UserError(f"{missing[0]} has no value (???): give it one on the command line")
    _check_values(config)
    check_bounds(config)
    return config


def monitor_mode(config: DictConfig) -> str:
    """`min` or `max`: which way the monitored metric is better.

    Raises:
        UserError: it is not a validation metric, or the config says otherwise.
    """
    better = find_target(str(config.task._target_), "task").better()
    known = {f"val/{name}": mode for name, mode in better.items()}
    if config.monitor not in known:
        raise UserError(
            f"monitor={config.monitor}: not a metric to choose by.{nearest(config.monitor, known)}"
        )
    mode = known[config.monitor]
    if config.monitor_mode not in (None, mode):
        raise UserError(f"monitor_mode={config.monitor_mode}: {config.monitor} is better at {mode}")
    return mode


def _check_values(config: DictConfig) -> None:
    """The top-level values; those below a target are the target's to check."""
    if type(config.seed) is not int or not 0 <= config.seed < 2**32:
        raise UserError(f"seed={config.seed}: a whole number from 0 to 4294967295")
    if config.threads is not None and (type(config.threads) is not int or config.threads < 1):
        raise UserError(f"threads={config.threads}: a whole number from 1, or null for all cores")
    if config.resume not in ("auto", "never", "anyway"):
        raise UserError(f"resume={config.resume}: auto, never or anyway")
    for key in ("test", "retry_failed"):
        if type(config[key]) is not bool:
            raise UserError(f"{key}={config[key]}: true or false")
    for key in ("name", "group"):
        if config[key] is not None and not isinstance(config[key], str):
            config[key] = str(config[key])
