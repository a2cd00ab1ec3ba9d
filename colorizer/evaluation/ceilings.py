"""Ceilings: functions of the true image that say how far a metric can be pushed.

They are no colorizers, since they are shown the answer.
"""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from colorizer.color import rgb_to_lab


def real(rgb: Tensor) -> Tensor:
    """Return the true image itself."""
    return rgb


def coarse_ab(size: int) -> Callable[[Tensor], Tensor]:
    """Make a ceiling of true L, and true ab averaged to `size` pixels and enlarged (nearest)."""

    def ceiling(rgb: Tensor) -> Tensor:
        lab = rgb_to_lab(rgb)
        coarse = F.interpolate(lab[:, 1:], size=size, mode="area")
        lab[:, 1:] = F.interpolate(coarse, size=rgb.shape[-2:], mode="nearest")
        return _lab_to_rgb(lab)

    return ceiling


def grid_ab(step: float) -> Callable[[Tensor], Tensor]:
    """Make a ceiling of true L, and true ab rounded to multiples of `step`."""

    def ceiling(rgb: Tensor) -> Tensor:
        lab = rgb_to_lab(rgb)
        lab[:, 1:] = (lab[:, 1:] / step).round() * step
        return _lab_to_rgb(lab)

    return ceiling


def _lab_to_rgb(lab: Tensor) -> Tensor:
    from kornia.color import lab_to_rgb

    rgb: Tensor = lab_to_rgb(lab)
    return rgb
