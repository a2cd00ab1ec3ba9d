"""Trivial colorizers: what a network has to beat to have learned anything."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from colorizer.color import chroma_to_rgb, rgb_to_chroma

if TYPE_CHECKING:
    from colorizer.data import Batch  # with Lightning, which takes seconds to import


class Baseline(nn.Module):
    """A colorizer without gradients; its raw output is RGB, so it needs `representation=rgb`.

    Args:
        out_channels: channels of the representation.
    """

    def __init__(self, out_channels: int) -> None:
        super().__init__()
        if out_channels != 3:
            raise ValueError("a baseline gives RGB: it needs representation=rgb")

    def fit(self, batches: "Iterable[Batch]") -> None:
        """Fit to the training split; nothing by default."""


class GrayCopy(Baseline):
    """The gray image in all three channels."""

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W)."""
        return gray.expand(-1, 3, -1, -1)


class MeanChroma(Baseline):
    """The training images' mean Cb and Cr at every pixel, with the input's luminance."""

    chroma: Tensor

    def __init__(self, out_channels: int) -> None:
        super().__init__(out_channels)
        self.register_buffer("chroma", torch.zeros(2))

    def fit(self, batches: "Iterable[Batch]") -> None:
        """Average the chroma of the training images."""
        total, pixels = torch.zeros(2, dtype=torch.float64), 0
        for batch in batches:
            total += rgb_to_chroma(batch.rgb).double().sum(dim=(0, 2, 3)).cpu()
            pixels += batch.gray.numel()
        self.chroma.copy_(total / pixels)

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W)."""
        batch, _, height, width = gray.shape
        return chroma_to_rgb(gray, self.chroma.view(1, 2, 1, 1).expand(batch, 2, height, width))


class GrayLookup(Baseline):
    """E[rgb given gray]: the training pixels' mean colour for each of 256 gray levels.

    The best that any function of one pixel's gray can do in squared error.
    """

    table: Tensor

    def __init__(self, out_channels: int) -> None:
        super().__init__(out_channels)
        # Levels that no training pixel has stay gray.
        self.register_buffer("table", torch.arange(256.0).div(255).repeat(3, 1).T.contiguous())

    def fit(self, batches: "Iterable[Batch]") -> None:
        """Average the colour of the training pixels of each gray level."""
        total, pixels = torch.zeros(256, 3, dtype=torch.float64), torch.zeros(256)
        pixels = pixels.double()
        for batch in batches:
            level = _level(batch.gray).flatten().cpu()
            colours = batch.rgb.movedim(1, -1).reshape(-1, 3).double().cpu()
            total.index_add_(0, level, colours)
            pixels += torch.bincount(level, minlength=256)
        seen = pixels > 0
        self.table[seen] = (total[seen] / pixels[seen, None]).to(self.table)

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W)."""
        return self.table[_level(gray).squeeze(1)].movedim(-1, 1)


def _level(gray: Tensor) -> Tensor:
    return gray.mul(255).round().long()
