"""The order in which images are trained on."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, DistributedSampler, SequentialSampler


class GlobalBatches(DistributedSampler[int]):
    """Shuffles, and gives each process its share of every batch.

    The batches do not depend on the number of processes. An epoch's order depends on the seed and
    the epoch alone; the last, smaller batch is dropped.

    Args:
        split: to shuffle.
        batch_size: over all processes.
        num_replicas: the processes.
        rank: this one.
        seed: of the run.
    """

    def __init__(
        self, split: Dataset[Any], batch_size: int, num_replicas: int, rank: int, seed: int
    ) -> None:
        super().__init__(split, num_replicas, rank, seed=seed, drop_last=True)
        self.batches = len(split) // batch_size  # type: ignore[arg-type]
        self.share = batch_size // num_replicas
        self.num_samples = self.batches * self.share
        self.skipped = 0
        """Batches that the next pass leaves out."""

    def __iter__(self) -> Iterator[int]:
        order = self.order()[: self.num_samples * self.num_replicas]
        mine = order.view(self.batches, self.num_replicas, self.share)[self.skipped :, self.rank]
        self.skipped = 0
        return iter(mine.flatten().tolist())

    def order(self) -> Tensor:
        """The indices of the images, all of an epoch's."""
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * self.epoch)
        return torch.randperm(len(self.dataset), generator=generator)  # type: ignore[arg-type]


class SameBatches(GlobalBatches, SequentialSampler):
    """The same batches in every epoch, to overfit them.

    A `SequentialSampler`, since Lightning puts one of its own, which skips nothing after an
    interruption, in the place of any other sampler.
    """

    def order(self) -> Tensor:
        """The images as they come."""
        return torch.arange(len(self.dataset))  # type: ignore[arg-type]
