"""Colorfulness, and how far it is from the real images'."""

from torch import Tensor

from colorizer.metrics.base import ImageMetric, Images
from colorizer.metrics.registry import register


def colorfulness(rgb: Tensor) -> Tensor:
    """Return the colorfulness of Hasler and Süsstrunk 2003 on 0..255.

    rg = R - G, yb = (R + G)/2 - B; sqrt(var rg + var yb) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2).

    Shapes: (B, 3, H, W) in [0, 1] -> (B,).
    """
    red, green, blue = rgb.mul(255).flatten(2).unbind(1)
    rg, yb = red - green, (red + green) / 2 - blue
    spread = (rg.var(1, unbiased=False) + yb.var(1, unbiased=False)).sqrt()
    offset = (rg.mean(1).square() + yb.mean(1).square()).sqrt()
    found: Tensor = spread + 0.3 * offset
    return found


@register
class Colorfulness(ImageMetric):
    """Mean colorfulness; the aim is the real images', not a maximum."""

    name, title, digits, order = "colorfulness", "colorf.", ".2f", 90
    kind = "plausibility"

    def values(self, images: Images) -> Tensor:
        """Return the colorfulness of each output."""
        return colorfulness(images.prediction)


@register
class DeltaColorfulness(ImageMetric):
    """Mean colorfulness minus the real images'; the aim is 0."""

    name, title, digits, order = "delta_cf", "ΔCF", "+.2f", 110
    kind = "plausibility"
    shown = frozenset({"scores", "headline", "groups", "classes"})
    interval = True
    validation = False

    def values(self, images: Images) -> Tensor:
        """Return the difference of each image."""
        return colorfulness(images.prediction) - colorfulness(images.target)
