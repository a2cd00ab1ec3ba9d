"""The one place that knows trackers: how their runs start and end, and how each takes images.

The metrics are logged by Lightning's loggers.
"""

import contextlib
import importlib.util
import logging
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from colorizer.errors import UserError, not_installed

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

# A logger's class passes keywords that it does not know on to a function.
PASSES_ON = {
    "pytorch_lightning.loggers.WandbLogger": "wandb.init",
    "colorizer.loggers.WandbLogger": "wandb.init",
}

# What trackers call the config file that was chosen in each group: `choices.model`.
CHOICES = "choices"

# The package behind a logger's class; an extra of the same name brings it.
PACKAGES = {"TensorBoardLogger": "tensorboard", "MLFlowLogger": "mlflow"}

# Values of WANDB_MODE.
MODES = ("offline", "online", "disabled", "shared")


def check_environment() -> None:
    """Let a WANDB_MODE that is none stop no training: it is said, and W&B stays offline."""
    mode = os.environ.get("WANDB_MODE", MODES[0])
    if mode not in MODES:
        log.warning(f"WANDB_MODE={mode}: none of {', '.join(MODES)}; the training goes on offline")
        os.environ["WANDB_MODE"] = MODES[0]


def start(loggers: Mapping[str, Any] | None, run_id: str | None = None) -> None:
    """Tell loggers which run they are of, and keep W&B from printing where it is one of them.

    Args:
        loggers: of the config; W&B's and MLflow's get the run's number, where they have no other.
        run_id: the same whenever the training is gone on with.
    """
    ours = [logger for logger in (loggers or {}).values() if _is_wandb(logger)]
    for logger in ours:
        if run_id and not logger.get("id") and not logger.get("version"):
            OmegaConf.update(logger, "id", run_id, force_add=True)
    for logger in (loggers or {}).values():
        if run_id and logger and logger.get("_target_") == "colorizer.loggers.MLFlowLogger":
            OmegaConf.update(logger, "colorizer_id", run_id, force_add=True)
    if ours:
        import wandb

        with contextlib.suppress(Exception):  # a nonsense setting is said where it matters
            wandb.setup(wandb.Settings(silent=True))


def go_on(loggers: Iterable[Any], step: int) -> None:
    """Let loggers drop what they have of a training from a step on, which is made again."""
    for logger in loggers:
        if hasattr(logger, "go_on"):
            logger.go_on(step)


def check(loggers: Mapping[str, Any] | None) -> None:
    """Check that what a config's loggers need is installed, and that W&B takes its settings.

    Raises:
        UserError: it is not, or W&B would not.
    """
    for name, logger in (loggers or {}).items():
        kind = str((logger or {}).get("_target_", "")).rpartition(".")[2]
        package = PACKAGES.get(kind)
        if package and importlib.util.find_spec(package) is None:
            raise UserError(not_installed(f"logger={name}: {package}", package))
        if _is_wandb(logger):
            import wandb

            try:
                wandb.Settings(**(logger.get("settings") or {}))
            except ValueError as error:
                lines = " ".join(line.strip() for line in str(error).splitlines()[1:3])
                raise UserError(f"logger.{name}.settings.{lines}") from error


def trial_overrides(loggers: Mapping[str, Any] | None) -> list[str]:
    """The overrides by which a tracker tells a search's trials from trainings."""
    names = [name for name, logger in (loggers or {}).items() if _is_wandb(logger)]
    return [f"++logger.{name}.job_type=trial" for name in names]


def let_go() -> None:
    """Forget a W&B that has failed, so that it fails neither at the end nor in the next job."""
    import wandb

    with contextlib.suppress(Exception):
        wandb.teardown()
    wandb.run = None


def finish(exit_code: int, state: str = "finished", loggers: Iterable[Any] = ()) -> None:
    """End the trackers' runs, so that the next job starts its own.

    Args:
        exit_code: 0, or 1 for a run that W&B should show as failed.
        state: `finished`, `pruned`, `interrupted` or `failed`.
        loggers: of the training.
    """
    for logger in loggers:
        if hasattr(logger, "end"):
            logger.end(state)
    if "wandb" in sys.modules:
        import wandb

        if wandb.run is not None:
            try:
                if state == "pruned":
                    wandb.run.tags = (*(wandb.run.tags or ()), state)
                    wandb.run.summary["state"] = state
                wandb.finish(exit_code=exit_code)
            except Exception as error:
                log.warning(f"W&B could not end its run ({type(error).__name__}: {error})")


def log_image(logger: Any, key: str, image: "Image", step: int | None = None) -> None:
    """Give an image to a logger of Lightning's, or to one with W&B's `log_image`, such as ours.

    Loggers that take no images are left alone.

    Args:
        logger: of a trainer.
        key: such as `examples/val`.
        image: the picture.
        step: of the optimizer; None: there is none.
    """
    import numpy as np
    from pytorch_lightning.loggers import CometLogger, MLFlowLogger, TensorBoardLogger

    if hasattr(logger, "log_image"):  # ours, W&B's and those made after it
        logger.log_image(key, [image], step=step)
    elif isinstance(logger, TensorBoardLogger):
        logger.experiment.add_image(key, np.asarray(image), step, dataformats="HWC")
    elif isinstance(logger, MLFlowLogger):
        logger.experiment.log_image(logger.run_id, image, key=key, step=step)
    elif isinstance(logger, CometLogger):
        logger.experiment.log_image(image, name=key, step=step)


def _is_wandb(logger: Mapping[str, Any] | None) -> bool:
    return bool(logger) and str(logger.get("_target_", "")).endswith(".WandbLogger")  # type: ignore[union-attr]
