"""CIEDE2000."""

from torch import Tensor

from colorizer.metrics.base import ImageMetric, Images, per_image
from colorizer.metrics.registry import register


@register
class DeltaE(ImageMetric):
    """CIEDE2000 colour difference (Sharma et al. 2005), mean over pixels.

    About 1 is just noticeable. It rewards gray.
    """

    name, title, digits, better, order = "delta_e", "ΔE00", ".2f", "min", 50
    shown = frozenset({"scores", "headline", "groups", "classes"})
    interval = True

    def values(self, images: Images) -> Tensor:
        """Return the mean colour difference of each image."""
        return per_image(images.delta_e)
