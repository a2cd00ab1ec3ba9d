"""Layers that several networks share."""

from torch import nn


def conv_block(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalization, ReLU. Shapes: (B, in, H, W) -> (B, out, H/s, W/s)."""
    return nn.Sequential(
        # The normalization subtracts the mean: a bias would be without effect.
        nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def check_divisible(height: int, width: int, levels: int) -> None:
    """Whether an image can be halved `levels` times.

    Raises:
        ValueError: it cannot.
    """
    factor = 2**levels
    if height % factor or width % factor:
        raise ValueError(
            f"images of {height}x{width} cannot be halved {levels} times: "
            f"height and width must be multiples of {factor}"
        )
