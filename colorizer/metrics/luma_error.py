"""Difference between the output's and the input's luminance."""

from torch import Tensor

from colorizer.color import luma
from colorizer.metrics.base import ImageMetric, Images, per_image
from colorizer.metrics.registry import register


@register
class LumaError(ImageMetric):
    """Mean |ΔY| between the output and the gray input, in [0, 1]: structure that leaked away."""

    name, title, digits, better, order = "luma_error", "|ΔY|", ".4f", "min", 100

    def values(self, images: Images) -> Tensor:
        """Return the mean difference of each image."""
        return per_image((luma(images.prediction) - images.gray).abs())
