"""What all ways of training a colorizer share."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from colorizer.colorizer import Colorizer, Sampling
from colorizer.data import Batch, ColorizationData
from colorizer.errors import UserError
from colorizer.metrics import Mean as Average
from colorizer.metrics import better
from colorizer.tasks.evaluation import Evaluation
from colorizer.tasks.labels import Labels
from colorizer.tasks.training import Training


class ColorizationTask(Training, Evaluation):
    """Trains a colorizer; a subclass says with which losses (`losses`).

    One that minimises something else than an error of the image names the term (`objective`) by
    which a run chooses its weights, and gives its value apart (`validated`) if the loss is random.
    Runs of different representations or tasks cannot be compared by it.

    Args:
        colorizer: what is trained.
        compile: run the network through `torch.compile`.
        label_weight: of the term `label`, see `Labels`, in training; 0: labels are not looked at.
        classes: of the data.
        **kwargs: see `Training`.
    """

    colorizer: Colorizer
    part = "colorizer"
    objective: ClassVar[str] = ""
    generative: ClassVar[bool] = False
    """Whether it trains networks that draw their output."""
    better: ClassVar[Mapping[str, str]] = better()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.objective:
            cls.better = {**better(), cls.objective: "min"}

    def __init__(
        self,
        colorizer: Colorizer,
        compile: bool = False,  # noqa: A002  # the name that users know
        label_weight: float = 0.0,
        classes: int = 10,
        **kwargs: Any,
    ) -> None:
        network = colorizer.network
        if isinstance(network, Sampling) != self.generative:
            kind = "draws" if isinstance(network, Sampling) else "does not draw"
            raise ValueError(
                f"{type(network).__name__} {kind}: task=flow_matching, and it alone, trains what "
                "draws, such as model=flow"
            )
        super().__init__(colorizer=colorizer, **kwargs)
        if self.objective:
            self.mean_objective = Average()
        if type(label_weight) not in (int, float) or not 0 <= label_weight < math.inf:
            raise ValueError(f"task.label_weight={label_weight}: a number from 0")
        self.label_weight = label_weight
        self.labels = Labels(self.called, classes) if label_weight else None
        if compile:
            if self.labels:
                # What was compiled of an earlier job's network like this one would be taken again,
                # and knows nothing of this one's hook.
                torch.compiler.reset()
            # In place, so that checkpoints have the same keys either way.
            self.called.compile()

    @property
    def called(self) -> nn.Module:
        """The network that a training step calls."""
        return self.colorizer.network

    def check(self, data: ColorizationData) -> None:
        """Raises UserError if it is to learn classes and the data has others."""
        if self.labels and self.labels.classes != len(data.classes):
            raise UserError(
                f"task.classes={self.labels.classes}: {data.name} has {len(data.classes) or 'no'} "
                "classes; task.label_weight=0 trains without them"
            )

    def minimised(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The losses, and the cross-entropy of the class where labels are looked at."""
        loss, terms = self.losses(batch)
        if self.labels is None:
            return loss, terms
        label: Tensor = self.labels(batch.label)
        return loss + self.label_weight * label, {**terms, "label": label}

    def validated(self, batch: Batch, batch_idx: int) -> Tensor:
        """The mean of the objective over a validation batch, the same in every epoch."""
        return self.losses(batch)[1][self.objective]

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Score a validation batch."""
        super().validation_step(batch, batch_idx)
        if self.objective:
            with torch.autocast(self.device.type, enabled=False):
                value = self.validated(batch, batch_idx)
            self.mean_objective.update(value.expand(len(batch.gray)))

    def on_validation_epoch_end(self) -> None:
        """Log the metrics, and the objective, as val/..."""
        super().on_validation_epoch_end()
        if self.objective:
            self.log(f"val/{self.objective}", self.mean_objective.compute())
            self.mean_objective.reset()
