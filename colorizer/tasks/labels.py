"""Learning what is in an image beside its colours."""

from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Recognizing(Protocol):
    """A network with features of the whole image."""

    @property
    def coarsest(self) -> nn.Module:
        """What gives its coarsest features, (B, coarsest_channels, h, w)."""

    @property
    def coarsest_channels(self) -> int:
        """How many there are."""


class Labels(nn.Module):
    """Cross-entropy of the class that a network's coarsest features tell.

    Iizuka et al. 2016, "Let there be Color!": a network that has to say what is in the image, too,
    learns to see more of what its colours depend on. The features are averaged over the image; only
    a training calls this, and its weights are no part of the colorizer.

    Args:
        network: a `Recognizing` one, whose features it looks at from now on.
        classes: of the data.

    Raises:
        ValueError: a network without such features, or fewer than two classes.
    """

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        if not (hasattr(network, "coarsest") and hasattr(network, "coarsest_channels")):
            raise ValueError(
                f"{type(network).__name__} has no coarsest features to tell a class from: "
                "task.label_weight=0"
            )
        if type(classes) is not int or classes < 2:
            raise ValueError(f"task.classes={classes}: a whole number from 2")
        seen = cast("Recognizing", network)
        self.classes = classes
        self.scores = nn.Linear(seen.coarsest_channels, classes)
        self._seen: dict[str, Tensor] = {}
        seen.coarsest.register_forward_hook(self._see)

    def _see(self, module: nn.Module, inputs: tuple[Tensor, ...], features: Tensor) -> None:
        if self.training:
            self._seen["features"] = features

    def forward(self, label: Tensor) -> Tensor:
        """Of the batch that the network was just called with: int64 (B,) -> scalar, in nats.

        Raises:
            RuntimeError: the network was not, or not in training.
        """
        if not self._seen:
            raise RuntimeError("no coarsest features: the network was not called in training")
        features = self._seen.pop("features").float()
        with torch.autocast(features.device.type, enabled=False):
            scores = self.scores(F.relu(features).mean(dim=(2, 3)))
            return F.cross_entropy(scores, label)
