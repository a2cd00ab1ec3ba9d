"""Resolving and checking the values of a config."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from colorizer.config.bounds import check_bounds
from colorizer.config.build import find_target
from colorizer.config.keys import PARTS
from colorizer.errors import UserError, in_a_line, nearest, shown

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
    from colorizer.metrics import better  # takes seconds to import

    alike = all(kind == kinds[0] for kind in kinds)
    return monitor if alike or monitor.removeprefix("val/") in better() else None


def resolved(config: DictConfig, run_dir: str) -> DictConfig:
    """A resolved copy without Hydra's own part, for a run in `run_dir`.

    Raises:
        UserError: an interpolation without a value, a value that is left open (???), or one that
            cannot be.
    """
    config = config.copy()
    try:
        with open_dict(config):
            config.pop("hydra", None)
            config.run_dir = run_dir
            for part in PARTS:
                config.setdefault(part, None)
        _take_numbers_for_names(config)
        config.monitor_mode = monitor_mode(config)
        OmegaConf.resolve(config)
        missing = sorted(OmegaConf.missing_keys(config))
    except (OmegaConfBaseException, RecursionError) as error:
        raise UserError(in_a_line(error)) from error
    if missing:
        raise UserError(f"{missing[0]} has no value (???): give it one on the command line")
    check_bounds(config)
    return config


def validation_metrics(config: DictConfig) -> dict[str, str]:
    """The metrics that a run can be chosen by, with `min` or `max`.

    Raises:
        UserError: the config has no task.
    """
    task = find_target(str(config.task._target_), "task")
    if not hasattr(task, "better"):
        raise UserError(f"task._target_={config.task._target_}: no task")
    return {f"val/{name}": mode for name, mode in task.better().items()}


def monitor_mode(config: DictConfig) -> str:
    """`min` or `max`: which way the monitored metric is better.

    Raises:
        UserError: it is not a validation metric, or the config says otherwise.
    """
    known = validation_metrics(config)
    monitor = str(config.monitor)
    if monitor not in known:
        raise UserError(
            f"monitor={shown(monitor)}: not a metric to choose by.{nearest(monitor, known)}"
        )
    mode = known[monitor]
    if config.monitor_mode not in (None, mode):
        raise UserError(f"monitor_mode={shown(config.monitor_mode)}: {monitor} is better at {mode}")
    return mode


def _take_numbers_for_names(config: DictConfig) -> None:
    """Make texts of numbers, which `name=3` and `tags=[1,2]` are to YAML."""

    def as_text(value: Any) -> Any:
        return str(value) if isinstance(value, int | float) else value

    # Before they are resolved: the loggers take them over.
    for key in ("name", "group", "study"):
        if not OmegaConf.is_interpolation(config, key):
            config[key] = as_text(config.get(key))
    if OmegaConf.is_list(config.tags) and not OmegaConf.is_interpolation(config, "tags"):
        config.tags = [as_text(tag) for tag in config.tags]
