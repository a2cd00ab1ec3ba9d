"""An exponential moving average of the weights."""

from collections.abc import Sequence
from typing import Annotated

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor

from colorizer.ranges import Range


class MovingAverage(WeightAveraging):
    """Validates, saves and tests the exponential moving average of the weights.

    Lightning's `WeightAveraging`, on the device of the training. In the first steps the decay is
    lower, (1 + steps) / (10 + steps), so that the initial weights are soon forgotten.

    Args:
        decay: in the end the average is over about the last 1 / (1 - decay) steps.

    Raises:
        ValueError: a decay that is not between 0 and 1.
    """

    def __init__(self, decay: Annotated[float, Range(0, 1, above=True, below=True)]) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"callbacks.ema.decay={decay}: between 0 and 1")
        self.decay = decay
        super().__init__(use_buffers=True, multi_avg_fn=self._average)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Move the average to the device of the weights, which is not known in `setup`."""
        assert self._average_model is not None
        self._average_model.to(pl_module.device)
        # Read in every step: on a GPU that would wait for it.
        self._average_model.n_averaged = self._average_model.n_averaged.cpu()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Drop the average: after a training the weights of the best checkpoint are scored."""
        self._average_model = None

    @torch.no_grad()
    def _average(self, averaged: Sequence[Tensor], current: Sequence[Tensor], _: Tensor) -> None:
        """Average tensors of one dtype in place; copy counts."""
        assert self._average_model is not None
        steps = int(self._average_model.n_averaged)
        weight = 1 - min(self.decay, (1 + steps) / (10 + steps))
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(list(averaged), list(current), weight)
        else:
            torch._foreach_copy_(list(averaged), list(current))
