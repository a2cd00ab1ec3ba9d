"""Learning what is in an image beside its colours."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.interfaces import FeatureNetwork


class LabelHead(nn.Module):
    """A linear classifier of a network's coarsest features, averaged over the image.

    Iizuka et al. 2016, "Let there be Color!": a network that also has to say what is in the image
    learns more of what its colours depend on. Used in training alone; no part of the colorizer.

    Args:
        network: whose features it gets.
        classes: of the data.

    Raises:
        ValueError: a network without such features, or fewer than two classes.
    """

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        if not isinstance(network, FeatureNetwork):
            raise ValueError(
                f"{type(network).__name__} has no coarsest features to tell a class from "
                "(num_features, forward_features): task.label_weight=0"
            )
        if type(classes) is not int or classes < 2:
            raise ValueError(f"task.classes={classes}: a whole number from 2")
        self.classes = classes
        self.scores = nn.Linear(network.num_features, classes)

    def forward(self, features: Tensor, label: Tensor) -> Tensor:
        """Cross-entropy: (B, num_features, h, w) and int64 (B,) -> scalar, in nats."""
        with torch.autocast(features.device.type, enabled=False):
            scores = self.scores(F.relu(features.float()).mean(dim=(2, 3)))
            return F.cross_entropy(scores, label)
