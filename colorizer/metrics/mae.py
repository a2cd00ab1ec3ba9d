"""Mean absolute error."""

from torch import Tensor

from colorizer.metrics.base import ImageMetric, Images, per_image
from colorizer.metrics.registry import register


@register
class MAE(ImageMetric):
    """Mean absolute error over all values, RGB in [0, 1]."""

    name, title, digits, better, order = "mae", "MAE", ".4f", "min", 20
    shown = frozenset()

    def values(self, images: Images) -> Tensor:
        """Return the mean absolute error of each image."""
        return per_image((images.prediction - images.target).abs())
