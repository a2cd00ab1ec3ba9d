"""Ends a training whose loss is NaN or infinite."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from colorizer.errors import RunError


class NonFiniteLoss(pl.Callback):
    """Fails the run, naming the first step and the terms, when the loss is NaN or infinite.

    The check runs on the device; its result is read every `log_every_n_steps` steps of the trainer
    and at the end of an epoch, so that no step waits for it.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._first: Tensor | None = None

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Note the first bad step of the loss and of each term, on the device."""
        values = {"loss": outputs["loss"], **outputs["terms"]}
        bad = ~torch.isfinite(torch.stack([value.detach().float() for value in values.values()]))
        step = trainer.global_step
        if self._first is None or list(values) != self._names:
            self._names = list(values)
            self._first = torch.full_like(bad, -1, dtype=torch.int64)
        self._first = torch.where(bad & (self._first < 0), step, self._first)
        if step % max(1, trainer.log_every_n_steps) == 0:  # type: ignore[attr-defined]
            self._check()

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Read the result: nobody goes on from weights that are spoilt."""
        self._check()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Read the result."""
        self._check()

    def _check(self) -> None:
        if self._first is None:
            return
        steps = dict(zip(self._names, self._first.tolist(), strict=True))
        bad = {name: step for name, step in steps.items() if step >= 0}
        if not bad:
            return
        first = min(bad.values())
        terms = [name for name, step in bad.items() if step == first and name != "loss"]
        which = (
            f"the term{'s' * (len(terms) > 1)} {', '.join(terms)}" if terms else "the weighted sum"
        )
        raise RunError(
            f"the loss is not finite: {which} became NaN or infinite at step {first}. "
            "A lower optimizer.lr, or a lower weight of the term, usually helps."
        )
