"""Scoring batches of the validation and the test split, and logging what comes of them."""

from abc import abstractmethod
from typing import Literal

import pytorch_lightning as pl

from colorizer.data import Batch


class Scoring(pl.LightningModule):
    """Validates and tests alike; a subclass says how a batch is scored, and what is logged."""

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Take in a validation batch."""
        self._score(batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Take in a test batch."""
        self._score(batch)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics as val/..."""
        self._log_metrics("val")

    def on_test_epoch_end(self) -> None:
        """Log the metrics as test/..."""
        self._log_metrics("test")

    @abstractmethod
    def _score(self, batch: Batch) -> None:
        """Take in a batch."""

    @abstractmethod
    def _log_metrics(self, split: Literal["val", "test"]) -> None:
        """Log the metrics of a split, and start again."""
