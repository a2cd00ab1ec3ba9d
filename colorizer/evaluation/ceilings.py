"""Ceilings: functions of the true image that say how far a metric can be pushed.

They are not colorizers, since they are shown the answer.
"""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.color import rgb_to_lab
from colorizer.data import Batch
from colorizer.tasks.evaluation import Evaluation


def real(rgb: Tensor) -> Tensor:
    """The true image itself."""
    return rgb


def coarse_ab(size: int) -> Callable[[Tensor], Tensor]:
    """True L, true ab averaged down to `size` pixels and enlarged by nearest neighbour."""

    def ceiling(rgb: Tensor) -> Tensor:
        lab = rgb_to_lab(rgb)
        coarse = F.interpolate(lab[:, 1:], size=size, mode="area")
        lab[:, 1:] = F.interpolate(coarse, size=rgb.shape[-2:], mode="nearest")
        return _lab_to_rgb(lab)

    return ceiling


def grid_ab(step: float) -> Callable[[Tensor], Tensor]:
    """True L, true ab rounded to multiples of `step`."""

    def ceiling(rgb: Tensor) -> Tensor:
        lab = rgb_to_lab(rgb)
        lab[:, 1:] = (lab[:, 1:] / step).round() * step
        return _lab_to_rgb(lab)

    return ceiling


class Ceiling(Evaluation):
    """Scores a function of the true image.

    Args:
        function: RGB (B, 3, H, W) -> RGB (B, 3, H, W), both in [0, 1].
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__(nn.Identity())
        self.function = function

    def predict(self, batch: Batch) -> Tensor:
        """The function of the true image."""
        return self.function(batch.rgb)


def _lab_to_rgb(lab: Tensor) -> Tensor:
    from kornia.color import lab_to_rgb

    rgb: Tensor = lab_to_rgb(lab)
    return rgb
