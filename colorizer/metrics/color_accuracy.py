"""Shares of pixels with the right colour."""

from typing import ClassVar

from torch import Tensor

from colorizer.metrics.base import ImageMetric, Images, per_image
from colorizer.metrics.registry import register


class ColorAccuracy(ImageMetric):
    """Percent of pixels whose Lab is within `epsilon` of the true one.

    Both are rounded to integers first; then |dL| <= epsilon and |da|, |db| <= 2.2 epsilon, as in
    the code of Nazeri et al. 2018. It rewards gray.
    """

    digits, better = ".1f", "max"
    epsilon: ClassVar[float]

    def values(self, images: Images) -> Tensor:
        """Return the percentage of each image."""
        difference = (images.lab.round() - images.target_lab.round()).abs()
        limit = difference.new_tensor([1.0, 2.2, 2.2]).mul(self.epsilon).view(3, 1, 1)
        return per_image((difference <= limit).all(dim=1) * 100.0)


@register
class ColorAccuracy2(ColorAccuracy):
    """Percent of pixels within 2 units of L and 4.4 of a and b."""

    name, title, order = "acc2", "acc@2", 60
    shown = frozenset()
    epsilon = 2


@register
class ColorAccuracy5(ColorAccuracy):
    """Percent of pixels within 5 units of L and 11 of a and b."""

    name, title, order = "acc5", "acc@5", 70
    epsilon = 5
