"""Counts what a training costs, in all of its processes."""

from collections.abc import Callable, Sequence
from typing import Any

import pytorch_lightning as pl
import torch

from colorizer.costs import Meter


class Cost(pl.Callback):
    """Tells a meter what is trained on, and keeps the cost where the state is saved.

    Args:
        meter: of this process.
        keep: writes the cost down, and takes what the other processes have cost; None in those.
    """

    def __init__(
        self, meter: Meter, keep: Callable[[Sequence[dict[str, float]]], None] | None = None
    ) -> None:
        self.meter = meter
        self.keep = keep

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Look at the device."""
        device = trainer.strategy.root_device
        if stage == "fit" and device.type == "cuda":
            self.meter.watch_gpu(device)
        if trainer.local_rank:
            self.meter.leave_processors_out()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Count the images."""
        self.meter.images += len(batch.gray)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep the cost so far: of a process that is killed later it is known."""
        others: list[Any] = []
        if trainer.world_size > 1:
            costs: list[Any] = [None] * trainer.world_size
            torch.distributed.all_gather_object(costs, self.meter.read())
            others = costs[1:]
        if self.keep:
            self.keep(others)
