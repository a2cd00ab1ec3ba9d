"""The progress bar."""

from typing import Annotated, Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import TQDMProgressBar

from colorizer.ranges import Range


class Progress(TQDMProgressBar):
    """Lightning's bar without the loggers' version number.

    Args:
        refresh_rate: batches between two updates.
        title: stands before the bar in validation and test.
    """

    def __init__(
        self, refresh_rate: Annotated[int, Range(0, 2**31 - 1)] = 10, title: str | None = None
    ) -> None:
        super().__init__(refresh_rate=refresh_rate)
        self.title = title

    @property
    def validation_description(self) -> str:
        """The text before the bar."""
        return self.title or super().validation_description

    @property
    def test_description(self) -> str:
        """The text before the bar."""
        return self.title or super().test_description

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """The numbers behind the bar."""
        metrics = dict(super().get_metrics(trainer, pl_module))
        metrics.pop("v_num", None)
        return metrics
