"""What all ways of training a colorizer share."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from colorizer.colorizer import Colorizer, Sampling
from colorizer.data import Batch
from colorizer.metrics import BETTER, Average
from colorizer.tasks.evaluation import Evaluation
from colorizer.tasks.training import Training


class ColorizationTask(Training, Evaluation):
    """Trains a colorizer; a subclass says with which losses (`losses`).

    One that minimises something else than an error of the image names the term (`objective`) by
    which a run chooses its weights, and gives its value apart (`validated`) if the loss is random.
    Runs of different representations or tasks cannot be compared by it.

    Args:
        colorizer: what is trained.
        compile: run the network through `torch.compile`.
        **kwargs: see `Training`.
    """

    colorizer: Colorizer
    part = "colorizer"
    objective: ClassVar[str] = ""
    generative: ClassVar[bool] = False
    """Whether it trains networks that draw their output."""
    better: ClassVar[Mapping[str, str]] = BETTER

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.objective:
            cls.better = {**BETTER, cls.objective: "min"}

    def __init__(
        self,
        colorizer: Colorizer,
        compile: bool = False,  # noqa: A002  # the name that users know
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
        if compile:
            # In place, so that checkpoints have the same keys either way.
            self.called.compile()

    @property
    def called(self) -> nn.Module:
        """The network that a training step calls."""
        return self.colorizer.network

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
