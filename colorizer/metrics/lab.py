"""Metrics in CIE Lab; each takes Lab images, so that several share one conversion."""

import torch
from torch import Tensor

from colorizer.color import delta_e_2000
from colorizer.metrics.mean import Mean


class DeltaE2000(Mean):
    """CIEDE2000 colour difference (Sharma et al. 2005), mean over pixels.

    Lower is better; about 1 is just noticeable. It rewards gray.
    """

    higher_is_better = False

    def values(self, prediction: Tensor, target: Tensor) -> Tensor:  # type: ignore[override]
        """Lab (B, 3, H, W) twice -> (B, H, W)."""
        return delta_e_2000(prediction, target)


class ColorAccuracy(Mean):
    """Share of pixels, in percent, whose Lab is within `epsilon` of the true one.

    Both are rounded to integers first; then |dL| <= epsilon and |da|, |db| <= 2.2 epsilon, as in
    the code of Nazeri et al. 2018. Higher is better. It rewards gray.

    Args:
        epsilon: in units of L.
    """

    higher_is_better = True

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon

    def values(self, prediction: Tensor, target: Tensor) -> Tensor:  # type: ignore[override]
        """Lab (B, 3, H, W) twice -> (B, H, W)."""
        difference = (prediction.round() - target.round()).abs()
        limit = difference.new_tensor([1.0, 2.2, 2.2]).mul(self.epsilon).view(3, 1, 1)
        return (difference <= limit).all(dim=1) * 100.0


class AuC(Mean):
    """Area under the curve of the share of pixels within an ab distance, in percent.

    The mean, over the integer thresholds 0 to 150, of the share of pixels whose ab distance is at
    most the threshold (Zhang et al. 2016). Higher is better. It rewards gray.
    """

    higher_is_better = True
    thresholds = 151

    def values(self, prediction: Tensor, target: Tensor) -> Tensor:  # type: ignore[override]
        """Lab (B, 3, H, W) twice -> (B, H, W)."""
        distance = (prediction[:, 1:] - target[:, 1:]).square().sum(dim=1).sqrt()
        # A distance d is within the thresholds ceil(d), ..., 150.
        within = (self.thresholds - torch.ceil(distance)).clamp(min=0)
        return within * (100 / self.thresholds)
