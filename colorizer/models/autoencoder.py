"""A convolutional autoencoder."""

import itertools

from torch import Tensor, nn

from colorizer.models.blocks import check_divisible, conv_block
from colorizer.ranges import Channels, Widths


class Autoencoder(nn.Module):
    """A strided encoder and an upsampling decoder, without skip connections.

    The decoder upsamples by nearest neighbour and convolves, which leaves none of the checkerboard
    of transposed convolutions (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts").

    Args:
        out_channels: channels of the representation.
        widths: channels at full, half, quarter, ... resolution; the last is the code's.
    """

    def __init__(self, out_channels: Channels, widths: Widths) -> None:
        super().__init__()
        widths = list(widths)
        if len(widths) < 2:
            raise ValueError(f"model.widths={widths}: at least two resolutions")
        self.levels = len(widths) - 1
        self.multiple_of = 2**self.levels
        encoder: list[nn.Module] = [conv_block(1, widths[0])]
        for finer, coarser in itertools.pairwise(widths):
            encoder += [conv_block(finer, coarser, stride=2), conv_block(coarser, coarser)]
        decoder: list[nn.Module] = []
        for coarser, finer in zip(widths[:0:-1], widths[-2::-1], strict=True):
            decoder += [nn.Upsample(scale_factor=2, mode="nearest"), conv_block(coarser, finer)]
        self.encoder = nn.Sequential(*encoder)
        self.decoder = nn.Sequential(*decoder, nn.Conv2d(widths[0], out_channels, 3, padding=1))

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, out_channels, H, W); H and W multiples of 2**(len(widths) - 1)."""
        check_divisible(gray.shape[-2], gray.shape[-1], self.levels)
        output: Tensor = self.decoder(self.encoder(gray))
        return output
