"""Gives a trial of a search up when others do better."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.trainer.states import TrainerFn

from colorizer.errors import Pruned


class Pruning(pl.Callback):
    """Reports a metric to Optuna after every validation, and stops when its pruner says so.

    Args:
        folder: of the search.
        trial: its number.
        monitor: the metric.
        pruner: `median` or `successive_halving`.
        startup_trials: none is pruned before as many have finished.
    """

    def __init__(
        self, folder: str, trial: int, monitor: str, pruner: str, startup_trials: int
    ) -> None:
        self.folder = Path(folder)
        self.number = trial
        self.monitor = monitor
        self.pruner = pruner
        self.startup_trials = startup_trials
        self._trial: Any = None

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the metric; raises Pruned."""
        if trainer.state.fn != TrainerFn.FITTING:
            return
        if self._trial is None:
            import optuna

            from colorizer.sweeps.search import Search, make_pruner

            study = Search.open(self.folder).study
            study.pruner = make_pruner(self.pruner, self.startup_trials)
            frozen = study.get_trials(deepcopy=False)[self.number]
            self._trial = optuna.trial.Trial(study, frozen._trial_id)
        epoch = trainer.current_epoch + 1
        value = float(trainer.callback_metrics[self.monitor])
        self._trial.report(value, step=epoch)
        last = epoch == trainer.max_epochs
        if not last and self._trial.should_prune():
            raise Pruned(f"after epoch {epoch} with {self.monitor} {value:.6g}")
