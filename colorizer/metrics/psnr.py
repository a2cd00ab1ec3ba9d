"""Peak signal-to-noise ratio."""

import numpy as np
from torch import Tensor

from colorizer.metrics.base import Array, ImageMetric, Images
from colorizer.metrics.mse import squared_error
from colorizer.metrics.registry import register


@register
class PSNR(ImageMetric):
    """Peak signal-to-noise ratio in dB, of the squared error pooled over all images.

    The mean of the images' own PSNR would be flattered by those that are exactly gray.
    """

    name, title, digits, better, order = "psnr", "PSNR", ".2f", "max", 30
    shown = frozenset({"scores", "headline", "groups"})
    digits_over_seeds = 1

    def values(self, images: Images) -> Tensor:
        """Return the mean squared error of each image."""
        return squared_error(images)

    def of_mean(self, mean: Array) -> Array:
        """Return -10 log10 of the mean squared error; infinite for an exact copy."""
        with np.errstate(divide="ignore"):
            decibel: Array = -10 * np.log10(mean)
        return decibel
