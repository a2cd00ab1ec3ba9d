"""A U-Net."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.models.blocks import check_divisible, conv_block
from colorizer.ranges import Channels, Widths


class UNet(nn.Module):
    """An encoder and a decoder joined by skip connections at every resolution.

    After Ronneberger et al. 2015, "U-Net: Convolutional Networks for Biomedical Image
    Segmentation", with strided convolutions, nearest-neighbour upsampling and padding.

    Args:
        out_channels: channels of the representation.
        widths: channels at full, half, quarter, ... resolution.
    """

    def __init__(self, out_channels: Channels, widths: Widths) -> None:
        super().__init__()
        widths = list(widths)
        if len(widths) < 2:
            raise ValueError(f"model.widths={widths}: at least two resolutions")
        self.stem = conv_block(1, widths[0])
        self.encoder = nn.ModuleList(
            nn.Sequential(conv_block(finer, coarser, stride=2), conv_block(coarser, coarser))
            for finer, coarser in itertools.pairwise(widths)
        )
        self.decoder = nn.ModuleList(
            conv_block(coarser + finer, finer)
            for coarser, finer in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.num_features = widths[-1]
        self.multiple_of = 2 ** len(self.encoder)
        self.last = nn.Conv2d(widths[0] + 1, out_channels, 3, padding=1)

    def forward_features(self, gray: Tensor) -> Tensor:
        """The coarsest features: (B, 1, H, W) -> (B, num_features, h, w)."""
        return self._encode(gray)[-1]

    def forward(self, gray: Tensor, with_features: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """(B, 1, H, W) -> (B, out_channels, H, W); H and W multiples of 2**(len(widths) - 1).

        `with_features`, the coarsest features beside it.
        """
        *skips, coarsest = self._encode(gray)
        features = coarsest
        for decode in self.decoder:
            upsampled = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = decode(torch.cat((upsampled, skips.pop()), dim=1))
        output: Tensor = self.last(torch.cat((features, gray), dim=1))
        return (output, coarsest) if with_features else output

    def _encode(self, gray: Tensor) -> list[Tensor]:
        """The features at full, half, quarter, ... resolution."""
        check_divisible(gray.shape[-2], gray.shape[-1], len(self.encoder))
        features = [self.stem(gray)]
        for encode in self.encoder:
            features.append(encode(features[-1]))
        return features
