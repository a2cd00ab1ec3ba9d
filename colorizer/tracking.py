"""The one place where Weights & Biases is spoken to directly.

`WandbLogger` does the logging; what it leaves open is how a run ends.
"""

import sys
from collections.abc import Mapping
from typing import Any

from colorizer.errors import UserError

# A logger's class passes keywords that it does not know on to a function.
PASSES_ON = {"pytorch_lightning.loggers.WandbLogger": "wandb.init"}


def start(loggers: Mapping[str, Any] | None) -> None:
    """Keep W&B from printing where it is one of the loggers; it writes into the run directory."""
    if any(_is_wandb(logger) for logger in (loggers or {}).values()):
        import wandb

        wandb.setup(wandb.Settings(silent=True))


def check(loggers: Mapping[str, Any] | None) -> None:
    """Whether W&B would take the settings of a config's loggers.

    Raises:
        UserError: it would not.
    """
    for name, logger in (loggers or {}).items():
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


def finish(exit_code: int, state: str | None = None) -> None:
    """End the W&B run that is open, if there is one, so that the next job starts its own.

    Args:
        exit_code: 0, or 1 for a run that W&B should show as failed.
        state: a tag and a summary value, for a run that ended otherwise.
    """
    if "wandb" in sys.modules:
        import wandb

        if wandb.run is not None:
            if state:
                wandb.run.tags = (*(wandb.run.tags or ()), state)
                wandb.run.summary["state"] = state
            wandb.finish(exit_code=exit_code)


def _is_wandb(logger: Mapping[str, Any] | None) -> bool:
    return bool(logger) and str(logger.get("_target_", "")).endswith(".WandbLogger")  # type: ignore[union-attr]
