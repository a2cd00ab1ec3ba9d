"""Classification over colour bins: which colours a pixel may have, and how likely each is."""

from typing import Annotated, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.color import rgb_to_chroma
from colorizer.data import Batch, ColorizationData
from colorizer.interfaces import stride
from colorizer.ranges import Range
from colorizer.representations import ChromaBins
from colorizer.tasks.base import Losses, Task

# Training images that colours are counted of at a time.
COUNTED = 1000


class BinClassification(Task):
    """Cross-entropy between the predicted distribution and the soft code of the true chroma.

    Zhang et al. 2016, "Colorful Image Colorization". The true chroma is averaged to the resolution
    of the network's output; pixels of rare colours weigh more.

    Args:
        uniform: λ, the share of the uniform distribution in the mixture with the training images'
            colours whose inverse the weights are (1/2 there). 1: all colours weigh the same.
        **kwargs: see `Task`; the representation is `ChromaBins`.

    Raises:
        ValueError: another representation, or a share out of range.
    """

    objective = "cross_entropy"
    class_weights: Tensor

    def __init__(self, uniform: Annotated[float, Range(0, 1, above=True)], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        bins = self.colorizer.representation
        if not isinstance(bins, ChromaBins):
            raise ValueError(
                f"it learns bins of chroma, not {type(bins).__name__}: representation=chroma_bins"
            )
        if not 0 < uniform <= 1:
            raise ValueError(f"task.uniform={uniform}: above 0, at most 1")
        self.bins = bins
        self.uniform = uniform
        self.register_buffer("class_weights", torch.ones(bins.channels), persistent=False)

    def on_fit_start(self) -> None:
        """Count the colours of the training images."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ColorizationData)
        soft, hard = self.shares(data)
        mixture = (1 - self.uniform) * soft + self.uniform / len(soft)
        # Of a training pixel at the network's resolution the mean weight is 1.
        self.class_weights = ((1 / mixture) / (hard / mixture).sum()).float().to(self.device)

    def shares(self, data: ColorizationData) -> tuple[Tensor, Tensor]:
        """The distribution of the training images' chroma at the network's resolution.

        By the soft code, and by the nearest bin alone: float64 (bins,) each.
        """
        coarser = stride(self.network)
        found = torch.zeros(2, self.bins.channels, dtype=torch.float64)
        for part in data.split("train").images.split(COUNTED):
            chroma = rgb_to_chroma(part.float().div_(255))
            bins, weights = self.bins.neighbours(F.avg_pool2d(chroma, coarser))
            found[0] += bins.flatten().bincount(weights.flatten().double(), len(found[0]))
            found[1] += bins[:, 0].flatten().bincount(minlength=len(found[1]))
        soft, hard = found / found.sum(1, keepdim=True)
        return soft, hard

    def losses(self, batch: Batch) -> Losses:
        """The rebalanced cross-entropy; its term is the cross-entropy without weights."""
        output, features = self.call_network(batch.gray)
        logits = output.float()
        chroma = F.interpolate(rgb_to_chroma(batch.rgb), size=logits.shape[-2:], mode="area")
        bins, weights = self.bins.neighbours(chroma)
        likely = logits.log_softmax(dim=1).gather(1, bins)
        each = -(weights * likely).sum(1)
        loss = (self.class_weights[bins[:, 0]] * each).mean()
        return Losses(loss, {self.objective: each.mean()}, features)
