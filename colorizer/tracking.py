"""The one place where Weights & Biases is spoken to directly.

`WandbLogger` does the logging; what it leaves open is how a run ends.
"""

import sys


def start() -> None:
    """Keep W&B from printing; what it has to say is in the run directory."""
    import wandb

    wandb.setup(wandb.Settings(silent=True))


def finish(exit_code: int) -> None:
    """End the W&B run that is open, if there is one, so that the next job starts its own.

    Args:
        exit_code: 0, or 1 for a run that W&B should show as failed.
    """
    if "wandb" in sys.modules:
        import wandb

        if wandb.run is not None:
            wandb.finish(exit_code=exit_code)
