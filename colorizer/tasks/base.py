"""What all ways of training a colorizer share."""

from typing import Any

from colorizer.colorizer import Colorizer
from colorizer.metrics import BETTER
from colorizer.tasks.evaluation import Evaluation
from colorizer.tasks.training import Training


class ColorizationTask(Training, Evaluation):
    """Trains a colorizer; a subclass says with which losses (`losses`).

    Args:
        colorizer: what is trained.
        compile: run the network through `torch.compile`.
        **kwargs: see `Training`.
    """

    colorizer: Colorizer
    part = "colorizer"
    better = BETTER

    def __init__(
        self,
        colorizer: Colorizer,
        compile: bool = False,  # noqa: A002  # the name that users know
        **kwargs: Any,
    ) -> None:
        super().__init__(colorizer=colorizer, **kwargs)
        if compile:
            # In place, so that checkpoints have the same keys either way.
            colorizer.network.compile()
