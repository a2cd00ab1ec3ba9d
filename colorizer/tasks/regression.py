"""Regression: a loss between the predicted and the true image."""

from typing import Any

import torch
from torch import Tensor

from colorizer.data import Batch
from colorizer.losses import WeightedSum
from colorizer.tasks.base import ColorizationTask


class Regression(ColorizationTask):
    """Minimises a weighted sum of terms on decoded RGB before clamping.

    Args:
        loss: the weighted sum.
        **kwargs: see `ColorizationTask`.
    """

    def __init__(self, loss: WeightedSum, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.loss = loss

    def losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch and its terms."""
        decoded = self.colorizer.decode(batch.gray)
        # Convolutions of a term, too, are to be in full precision.
        with torch.autocast(self.device.type, enabled=False):
            loss: tuple[Tensor, dict[str, Tensor]] = self.loss(decoded, batch.rgb)
        return loss
