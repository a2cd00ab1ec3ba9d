"""Scoring a colorizer: the one path that every number in a table takes."""

from typing import Literal

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from colorizer.data import Batch
from colorizer.metrics import Fidelity


class Evaluation(pl.LightningModule):
    """Scores `forward(gray) -> rgb` on the validation or the test split.

    Args:
        colorizer: (B, 1, H, W) -> (B, 3, H, W), both in [0, 1].
    """

    def __init__(self, colorizer: nn.Module) -> None:
        super().__init__()
        self.colorizer = colorizer
        self.fidelity = Fidelity()

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [0, 1]."""
        rgb: Tensor = self.colorizer(gray)
        return rgb

    def predict(self, batch: Batch) -> Tensor:
        """What is scored: (B, 3, H, W) in [0, 1]."""
        return self(batch.gray)

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

    def _score(self, batch: Batch) -> None:
        # In full precision whatever the training's is: SSIM in bfloat16 is off by 0.2 and more,
        # and a run must score the same when it is evaluated again.
        with torch.autocast(self.device.type, enabled=False):
            self.fidelity.update(self.predict(batch), batch.rgb, batch.gray)

    def _log_metrics(self, split: Literal["val", "test"]) -> None:
        values = self.fidelity.compute()
        # The metrics have gathered over the processes themselves.
        self.log_dict({f"{split}/{name}": value for name, value in values.items()})
        self.fidelity.reset()
