"""Regression: a loss between the predicted and the true image."""

from typing import Any

import torch

from colorizer.data import Batch
from colorizer.losses import WeightedSum
from colorizer.tasks.base import Losses, Task


class Regression(Task):
    """Minimises a weighted sum of terms on decoded RGB before clamping.

    Args:
        loss: the weighted sum.
        **kwargs: see `Task`.
    """

    def __init__(self, loss: WeightedSum, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.loss = loss

    def losses(self, batch: Batch) -> Losses:
        """The weighted sum and its terms."""
        output, features = self.call_network(self.colorizer.pad(batch.gray))
        decoded = self.colorizer.decode(batch.gray, output)
        # Terms that are convolutions have to be in full precision, too.
        with torch.autocast(self.device.type, enabled=False):
            total, terms = self.loss(decoded, batch.rgb)
        return Losses(total, terms, features)
