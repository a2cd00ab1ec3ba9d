"""The Haar wavelet transform of images, one level at a time (Haar 1910; Mallat 1989)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def haar_split(image: Tensor) -> tuple[Tensor, Tensor]:
    """Averages and details of 2x2 patches.

    Args:
        image: (B, C, H, W), H and W even.

    Returns:
        The averages (B, C, H/2, W/2), and the details (B, 3 * C, H/2, W/2): from side to side of
        all channels, then from top to bottom, then across. In units of the image.
    """
    patches = F.pixel_unshuffle(image, 2).unflatten(1, (image.shape[1], 4))
    average, *details = (band / 4 for band in _signs(*patches.unbind(2)))
    return average, torch.cat(details, dim=1)


def haar_join(averages: Tensor, details: Tensor) -> Tensor:
    """The image that `haar_split` splits: (B, C, h, w), (B, 3 * C, h, w) -> (B, C, 2 h, 2 w)."""
    bands = _signs(averages, *details.chunk(3, dim=1))
    return F.pixel_shuffle(torch.stack(bands, dim=2).flatten(1, 2), 2)


def _signs(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Sums and horizontal, vertical and diagonal differences of the pixels of patches, row by row.

    Its own inverse, up to a factor of 4.
    """
    return a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d
