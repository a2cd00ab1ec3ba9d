"""Mean squared error."""

from torch import Tensor

from colorizer.metrics.base import ImageMetric, Images, per_image
from colorizer.metrics.registry import register


def squared_error(images: Images) -> Tensor:
    """Return the mean squared error of each image: (B,)."""
    return per_image((images.prediction - images.target).square())


@register
class MSE(ImageMetric):
    """Mean squared error over all values, RGB in [0, 1]."""

    name, title, digits, better, order = "mse", "MSE", ".5f", "min", 10
    shown = frozenset({"scores"})
    digits_over_seeds = 1

    def values(self, images: Images) -> Tensor:
        """Return the mean squared error of each image."""
        return squared_error(images)
