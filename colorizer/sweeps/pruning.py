"""Ends a trial of a search early when others do better."""

from functools import partial
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.trainer.states import TrainerFn

from colorizer.errors import Pruned


class Pruning(pl.Callback):
    """Reports a metric to the search after every validation, and stops when its pruner says so.

    Args:
        folder: of the search.
        trial: its number.
        monitor: the metric.
        pruner: `median`, `successive_halving` or `hyperband`.
        startup_trials: none is pruned before as many have finished.
    """

    def __init__(
        self, folder: str, trial: int, monitor: str, pruner: str, startup_trials: int
    ) -> None:
        from colorizer.sweeps.search import Search
        from colorizer.sweeps.search_settings import make_pruner

        search = Search.open(Path(folder))
        self._study = search.study
        self._pruner = partial(make_pruner, pruner, startup_trials)
        self._trial = search.trial(trial)
        # A trial that is gone on with comes by the same epochs again, which Optuna must not see
        # twice: it judges a trial by the last epoch that it was told of.
        self._reported = max(search.reported(trial), default=0)
        self.monitor = monitor

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Make the pruner, now that the number of epochs is known."""
        self._study.pruner = self._pruner(trainer.max_epochs or 1)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the metric; raises Pruned."""
        if trainer.state.fn != TrainerFn.FITTING:
            return
        epoch = trainer.current_epoch + 1
        value = float(trainer.callback_metrics[self.monitor])
        if epoch < self._reported:
            return
        if epoch > self._reported:
            self._trial.report(value, step=epoch)
        last = epoch == trainer.max_epochs
        if not last and self._trial.should_prune():
            raise Pruned(f"after epoch {epoch} with {self.monitor} {value:.6g}")
