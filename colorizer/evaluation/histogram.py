"""Which colours there are, whatever image they are in: histograms of ab."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

# Bins of 10 units around the multiples of 10 (Zhang et al. 2016), so that gray is in the middle
# of one; sRGB's ab lies in [-86, 98] x [-108, 94].
STEP = 10
LOWEST, BINS = -115, 23

Array = npt.NDArray[np.float64]


def ab_histograms(lab: Tensor) -> Tensor:
    """Pixels of each image in each bin: Lab (B, 3, H, W) -> int64 (B, BINS * BINS), a before b."""
    bins = ((lab[:, 1:] - LOWEST) / STEP).floor().clamp(0, BINS - 1).long()
    index = (bins[:, 0] * BINS + bins[:, 1]).flatten(1)
    counts = torch.zeros(len(lab), BINS * BINS, dtype=torch.int64, device=lab.device)
    return counts.scatter_add_(1, index, torch.ones_like(index))


def divergence(counts: Array, others: Array) -> Array:
    """Jensen-Shannon divergence of histograms, in bits: 0 for the same, 1 for disjoint ones.

    Unlike Kullback and Leibler's it is finite where a bin is empty (Lin 1991).

    Shapes: (..., bins) twice -> (...).
    """
    p = counts / counts.sum(-1, keepdims=True)
    q = others / others.sum(-1, keepdims=True)
    middle = (p + q) / 2
    return (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2


def _relative_entropy(p: Array, q: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log2(p / q), 0.0)
    total: Array = terms.sum(-1)
    return total
