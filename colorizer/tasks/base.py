"""What all ways of training a colorizer share."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from colorizer.colorizer import Colorizer
from colorizer.data import Batch
from colorizer.errors import UserError
from colorizer.tasks.evaluation import Evaluation


class ColorizationTask(Evaluation):
    """Trains a colorizer; a subclass says with which losses (`losses`).

    Every term is logged by name, unweighted, as `train/<term>`, and the weighted sum as
    `train/loss`: means over an epoch, so that no step waits for the device.

    Args:
        colorizer: what is trained.
        optimizer: parameters -> optimizer.
        scheduler: (optimizer, total_steps=...) -> learning rate schedule, stepped every batch.
        compile: run the network through `torch.compile`.
    """

    colorizer: Colorizer

    def __init__(
        self,
        colorizer: Colorizer,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        scheduler: Callable[..., LRScheduler],
        compile: bool = False,  # noqa: A002  # the name that users know
    ) -> None:
        super().__init__(colorizer)
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        if compile:
            # In place, so that checkpoints have the same keys either way.
            colorizer.network.compile()

    @abstractmethod
    def losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The scalar to minimise, and the terms that it is made of, unweighted."""

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """One optimizer step's loss; the terms go along for callbacks."""
        loss, terms = self.losses(batch)
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
        optimizer = self.make_optimizer(self.parameters())
        scheduler = self.make_scheduler(optimizer, total_steps=int(steps))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }
