"""Scoring a colorizer: the one path that every number in a table takes."""

from typing import Literal

import torch
from torch import Tensor, nn

from colorizer.data import Batch
from colorizer.metrics import Fidelity
from colorizer.tasks.scoring import Scoring


class Evaluation(Scoring):
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
