"""Area under the curve of ab distances."""

import torch
from torch import Tensor

from colorizer.metrics.base import ImageMetric, Images, per_image
from colorizer.metrics.registry import register

THRESHOLDS = 151


@register
class AuC(ImageMetric):
    """Area under the curve of the share of pixels within an ab distance, in percent.

    The mean, over the integer thresholds 0 to 150, of the share of pixels whose ab distance is at
    most the threshold (Zhang et al. 2016). It rewards gray.
    """

    name, title, digits, better, order = "auc", "AuC", ".2f", "max", 80

    def values(self, images: Images) -> Tensor:
        """Return the area of each image."""
        distance = (images.lab - images.target_lab)[:, 1:].square().sum(dim=1).sqrt()
        # A distance d is within the thresholds ceil(d), ..., 150.
        within = (THRESHOLDS - torch.ceil(distance)).clamp(min=0)
        return per_image(within * (100 / THRESHOLDS))
