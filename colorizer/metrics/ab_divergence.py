"""Which colours there are, whatever image they are in."""

import numpy as np
import torch
from scipy.spatial.distance import jensenshannon
from torch import Tensor

from colorizer.metrics.base import Array, ImageMetric, Images
from colorizer.metrics.registry import register

# Bins of 10 units around the multiples of 10 (Zhang et al. 2016), so that gray is in the middle
# of one; sRGB's ab lies in [-86, 98] x [-108, 94].
STEP = 10
LOWEST, BINS = -115, 23


def ab_histograms(lab: Tensor) -> Tensor:
    """Count the pixels of each image in each bin of ab.

    Shapes: Lab (B, 3, H, W) -> int64 (B, BINS * BINS), a before b.
    """
    bins = ((lab[:, 1:] - LOWEST) / STEP).floor().clamp(0, BINS - 1).long()
    index = (bins[:, 0] * BINS + bins[:, 1]).flatten(1)
    counts = torch.zeros(len(lab), BINS * BINS, dtype=torch.int64, device=lab.device)
    return counts.scatter_add_(1, index, torch.ones_like(index))


@register
class ABDivergence(ImageMetric):
    """Jensen-Shannon divergence of the ab histograms of outputs and real images, in bits.

    0 for the same, 1 for disjoint ones; unlike Kullback and Leibler's it is finite where a bin is
    empty (Lin 1991).
    """

    name, title, digits, better, order = "ab_divergence", "ab div.", ".3f", "min", 120
    kind = "plausibility"
    shown = frozenset({"scores", "headline", "groups"})
    interval = True
    validation = False
    distance = True

    def values(self, images: Images) -> Tensor:
        """Return the histograms of each output and of its real image: (B, 2 * BINS * BINS)."""
        histograms = (ab_histograms(images.lab), ab_histograms(images.target_lab))
        return torch.cat(histograms, dim=1).float()

    def of_mean(self, mean: Array) -> Array:
        """Return the divergence of the two mean histograms."""
        output, real = np.split(mean, 2, axis=-1)
        with np.errstate(invalid="ignore"):  # rounding can make its square slightly negative
            distance = jensenshannon(output, real, base=2, axis=-1)
        divergence: Array = np.nan_to_num(distance) ** 2
        return divergence
