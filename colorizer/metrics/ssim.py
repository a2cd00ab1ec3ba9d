"""Structural similarity."""

import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from colorizer.metrics.base import ImageMetric, Images
from colorizer.metrics.registry import register


@register
class SSIM(ImageMetric):
    """Structural similarity of RGB (Wang et al. 2004), Gaussian window of sigma 1.5."""

    name, title, digits, better, order = "ssim", "SSIM", ".3f", "max", 40
    digits_over_seeds = 1

    def values(self, images: Images) -> Tensor:
        """Return the structural similarity of each image."""
        # On a GPU, float32 convolutions may be rounded to TF32.
        exact = torch.float64 if images.prediction.is_cuda else torch.float32
        similarity = structural_similarity_index_measure(
            images.prediction.to(exact), images.target.to(exact), data_range=1.0, reduction="none"
        )
        assert isinstance(similarity, Tensor)
        return similarity.float()
