"""What all trainings share: the optimizer, its schedule, and what is logged of the loss."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import pytorch_lightning as pl
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from colorizer.data import Batch, ColorizationData
from colorizer.errors import UserError


class Training(pl.LightningModule):
    """Trains something; a subclass says what (`part`) and with which losses (`losses`).

    Every term is logged by name, unweighted, as `train/<term>`, and the weighted sum as
    `train/loss`: means over an epoch, so that no step waits for the device.

    Args:
        optimizer: parameters -> optimizer.
        scheduler: (optimizer, total_steps=...) -> learning rate schedule, stepped every batch.
        **others: for the next class.
    """

    part: ClassVar[str]
    """The attribute that holds what is trained; its weights are what a checkpoint is read for."""

    better: ClassVar[Mapping[str, str]]
    """The validation metrics that a run can be chosen by, with `min` or `max`."""

    def __init__(
        self,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        scheduler: Callable[..., LRScheduler],
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler

    @property
    def trained(self) -> nn.Module:
        """What is trained."""
        module: nn.Module = getattr(self, self.part)
        return module

    @abstractmethod
    def losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Their sum, a scalar, and the terms that it is made of, unweighted."""

    def check(self, data: ColorizationData) -> None:
        """Raises UserError if it cannot learn from this data."""

    def minimised(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """What a training step minimises: `losses`, and whatever helps in training alone."""
        return self.losses(batch)

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """One optimizer step's loss; the terms go along for callbacks."""
        loss, terms = self.minimised(batch)
        terms = {name: value.detach() for name, value in terms.items()}
        values = {"train/loss": loss.detach()}
        values |= {f"train/{name}": value for name, value in terms.items()}
        self.log_dict(
            values, on_step=False, on_epoch=True, sync_dist=True, batch_size=len(batch.gray)
        )
        return {"loss": loss, "terms": terms}

    def on_train_epoch_end(self) -> None:
        """Log the learning rate that the next step would have."""
        self.log("train/lr", self.trainer.optimizers[0].param_groups[0]["lr"])

    def configure_optimizers(self) -> Any:
        """The optimizer and its schedule over all steps of the run."""
        steps = self.trainer.estimated_stepping_batches
        if steps == float("inf"):
            raise UserError(
                "the learning rate schedule needs an end: set trainer.max_epochs or "
                "trainer.max_steps"
            )
        parameters = [p for p in self.parameters() if p.requires_grad]
        optimizer = self.make_optimizer(parameters)
        scheduler = self.make_scheduler(optimizer, total_steps=int(steps))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }
