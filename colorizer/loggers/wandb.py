"""Weights & Biases, where a run that cannot be online goes on offline."""

from typing import Any

import pytorch_lightning.loggers as lightning
from lightning_fabric.loggers.logger import rank_zero_experiment

from colorizer import tracking
from colorizer.loggers.harmless import Harmless, harmless, harmless_experiment


class WandbLogger(Harmless, lightning.WandbLogger):
    """Lightning's, whose failures end no training."""

    tracker = "W&B"

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """W&B's run."""
        return _experiment(self)

    def second_try(self) -> str | None:
        """Go on offline, where the run had not begun."""
        if self._experiment is not None or self._wandb_init.get("mode") == "offline":
            return None
        self._wandb_init["mode"] = "offline"
        if number := self._wandb_init.get("id"):  # W&B holds the first one to be in use
            self._wandb_init["id"] = f"{number}-offline"
        return "offline"

    def let_go(self) -> None:
        """Forget a W&B that has failed."""
        tracking.let_go()

    log_metrics = harmless(lightning.WandbLogger.log_metrics)
    log_hyperparams = harmless(lightning.WandbLogger.log_hyperparams)
    log_image = harmless(lightning.WandbLogger.log_image)
    finalize = harmless(lightning.WandbLogger.finalize)
    save = harmless(lightning.WandbLogger.save)


_experiment = harmless_experiment(lightning.WandbLogger.experiment.fget)  # type: ignore[attr-defined]
