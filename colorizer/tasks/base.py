"""The base of tasks: a training step, validation, the optimizer and its schedule."""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from colorizer.colorizer import Colorizer, Sampling
from colorizer.data import Batch, ColorizationData
from colorizer.errors import UserError
from colorizer.metrics import Fidelity, Mean, StepMeans, better
from colorizer.ranges import NotNegative, Range
from colorizer.tasks.labels import LabelHead


class Losses(NamedTuple):
    """The losses of a batch.

    `total` is a scalar; `terms` are what it is made of, unweighted; `features` are the network's
    coarsest, as `Task.call_network` gives them.
    """

    total: Tensor
    terms: dict[str, Tensor]
    features: Tensor | None = None


class Task(pl.LightningModule):
    """Trains a colorizer; a subclass gives the losses of a batch (`losses`).

    It logs means over an epoch, so that no step waits for the device: the total as `train/loss`,
    every term, unweighted, as `train/<term>`, and metrics of the validation images as `val/...`.

    A task that minimises something else than an error of the image names the term by which weights
    are chosen (`objective`). It is logged as `val/<objective>`; where it is random, `validated`
    fixes it. Runs of different representations or tasks cannot be compared by it.

    Args:
        colorizer: what is trained: `colorizer.network`, or another module where `part` says so.
        optimizer: parameters -> optimizer.
        scheduler: (optimizer, total_steps=...) -> learning rate schedule, stepped every batch.
        compile: run the network through `torch.compile`.
        label_weight: of the term `label`, see `LabelHead`; 0: classes are not learned.
        classes: of the data.

    Raises:
        ValueError: a network of another kind than the task trains, a negative weight, or see
            `LabelHead`.
    """

    part: ClassVar[str] = "colorizer"
    """The attribute that holds what is trained; checkpoints are read for its weights."""
    objective: ClassVar[str] = ""
    """The term by which weights are chosen; empty: a metric chooses them."""
    generative: ClassVar[bool] = False
    """Whether it trains networks that draw their output."""

    colorizer: Colorizer

    def __init__(
        self,
        colorizer: nn.Module,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        scheduler: Callable[..., LRScheduler],
        compile: bool = False,  # noqa: A002  # the name that users know
        label_weight: NotNegative = 0.0,
        classes: Annotated[int, Range(2, 100_000)] = 10,
    ) -> None:
        super().__init__()
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        setattr(self, self.part, colorizer)
        drawing = isinstance(colorizer, Colorizer) and isinstance(colorizer.network, Sampling)
        if drawing != self.generative:
            raise ValueError(
                f"{type(colorizer.network).__name__} {'draws' if drawing else 'does not draw'}: "
                "task=flow_matching trains model=flow and task=likelihood model=wavelet_mixture, "
                "which draw; the other tasks train what does not"
            )
        self.train_means = StepMeans()
        self.metrics = self.make_metrics()
        if self.objective:
            self.mean_objective = Mean()
        if type(label_weight) not in (int, float) or not 0 <= label_weight < math.inf:
            raise ValueError(f"task.label_weight={label_weight}: a number from 0")
        self.label_weight = label_weight
        self.labels = LabelHead(self.network, classes) if label_weight else None
        if compile:
            # In place, so that checkpoints have the same keys either way.
            self.network.compile()

    # --- what a subclass gives ---

    @abstractmethod
    def losses(self, batch: Batch) -> Losses:
        """The losses of a batch, from what `call_network` gives."""

    @property
    def network(self) -> nn.Module:
        """The network that a training step calls."""
        return self.colorizer.network

    def validated(self, batch: Batch, batch_idx: int) -> Tensor:
        """The mean of the objective over a validation batch, the same in every epoch."""
        return self.losses(batch).terms[self.objective]

    def make_metrics(self) -> Any:
        """The validation metrics, with `update`, `compute` and `reset`."""
        return Fidelity()

    def update_metrics(self, batch: Batch) -> None:
        """Add a batch to the metrics."""
        self.metrics.update(self(batch.gray), batch.rgb, batch.gray)

    @classmethod
    def better(cls) -> dict[str, str]:
        """The validation metrics that a run can be chosen by, with `min` or `max`."""
        return {**better(), cls.objective: "min"} if cls.objective else better()

    def check(self, data: ColorizationData) -> None:
        """Raise UserError if it cannot learn from this data."""
        if self.labels and self.labels.classes != len(data.classes):
            raise UserError(
                f"task.classes={self.labels.classes}: {data.name} has {len(data.classes) or 'no'} "
                "classes; task.label_weight=0 trains without them"
            )

    # --- what it does with it ---

    @property
    def trained(self) -> nn.Module:
        """The module that is trained."""
        module: nn.Module = getattr(self, self.part)
        return module

    def forward(self, images: Tensor) -> Tensor:
        """Call the trained module: a colorizer maps (B, 1, H, W) -> (B, 3, H, W), in [0, 1]."""
        output: Tensor = self.trained(images)
        return output

    def call_network(self, *inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """The network's output; in training, where classes are learned, its features as well."""
        if self.labels is None or not self.training:
            return self.network(*inputs), None
        output, features = self.network(*inputs, with_features=True)
        return output, features

    def minimised(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The minimised loss and its terms: `losses`, and `label` with its weight."""
        total, terms, features = self.losses(batch)
        if self.labels is None:
            return total, terms
        if features is None:
            name = type(self).__name__
            raise ValueError(f"{name} gives no features to learn classes from: task.label_weight=0")
        label: Tensor = self.labels(features, batch.label)
        return total + self.label_weight * label, {**terms, "label": label}

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Return the loss of an optimizer step, and the terms for callbacks."""
        loss, terms = self.minimised(batch)
        terms = {name: value.detach() for name, value in terms.items()}
        self.train_means.add({"loss": loss.detach(), **terms})
        return {"loss": loss, "terms": terms}

    def on_train_epoch_end(self) -> None:
        """Log the means of the epoch, and the learning rate that the next step would have."""
        means = {f"train/{name}": value for name, value in self.train_means.compute().items()}
        self.log_dict(means, sync_dist=True)
        self.train_means = StepMeans()
        self.log("train/lr", self.trainer.optimizers[0].param_groups[0]["lr"])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the sums of the epoch so far."""
        sums = self.train_means.sums
        if sums is not None and self.trainer.world_size > 1:
            sums = self.trainer.strategy.reduce(sums.clone(), reduce_op="mean")
        names, steps = self.train_means.names, self.train_means.steps
        checkpoint["train_means"] = {"names": names, "steps": steps, "sums": sums}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the sums of the epoch."""
        self.train_means = StepMeans(**checkpoint["train_means"])

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Score a validation batch."""
        self.test_step(batch, batch_idx)
        if self.objective:
            with torch.autocast(self.device.type, enabled=False):
                value = self.validated(batch, batch_idx)
            self.mean_objective.update(value.expand(len(batch.gray)))

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Score a test batch."""
        # In full precision whatever the training's is: SSIM in bfloat16 is off by 0.2 and more,
        # and a run must score the same when it is evaluated again.
        with torch.autocast(self.device.type, enabled=False):
            self.update_metrics(batch)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics, and the objective, as val/..."""
        self._log_metrics("val")
        if self.objective:
            self.log(f"val/{self.objective}", self.mean_objective.compute())
            self.mean_objective.reset()

    def on_test_epoch_end(self) -> None:
        """Log the metrics as test/..."""
        self._log_metrics("test")

    def _log_metrics(self, split: Literal["val", "test"]) -> None:
        # The metrics have gathered over the processes themselves.
        self.log_dict({f"{split}/{name}": value for name, value in self.metrics.compute().items()})
        self.metrics.reset()

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
