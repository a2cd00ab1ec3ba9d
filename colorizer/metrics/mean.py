"""The mean of a value over pixels or images, across batches and processes."""

from abc import abstractmethod

import torch
from torch import Tensor
from torchmetrics import Metric


class Mean(Metric):
    """Base of metrics that are a mean: a subclass says of what (`values`)."""

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Float64: float32 would lose the last pixels of 10,000 images.
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    @abstractmethod
    def values(self, *images: Tensor) -> Tensor:
        """What is averaged: one value for each image (B,) or pixel (B, ...)."""

    def update(self, *images: Tensor) -> None:
        """Take in a batch; see `values`."""
        values = self.values(*images)
        self.total += values.sum(dtype=torch.float64)
        self.count += values.numel()

    def compute(self) -> Tensor:
        """The mean so far, float32; not a number where a value was none."""
        return (self.total / self.count).float()


class Average(Mean):
    """The mean of values that are given."""

    def values(self, *images: Tensor) -> Tensor:
        """As they are: (B,)."""
        (given,) = images
        return given
