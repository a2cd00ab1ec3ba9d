"""Layers that several networks share."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv_block(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalization, ReLU. Shapes: (B, in, H, W) -> (B, out, H/s, W/s)."""
    return nn.Sequential(
        # The normalization subtracts the mean: a bias would be without effect.
        nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, normalization and ReLU before each.

    After He et al. 2016, "Identity Mappings in Deep Residual Networks". A condition scales and
    shifts the features after the second normalization (FiLM; Perez et al. 2018).

    Args:
        in_channels: of the input.
        out_channels: of the output.
        condition: length of the condition's vectors; 0: there is none.
        dropout: probability of a feature between the convolutions to be 0 in training, as in
            Zagoruyko and Komodakis 2016 ("Wide Residual Networks").
    """

    def __init__(
        self, in_channels: int, out_channels: int, condition: int = 0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.shortcut = (
            nn.Identity()
            if in_channels == out_channels
            else nn.Conv2d(in_channels, out_channels, 1, bias=False)
        )
        self.film = nn.Linear(condition, 2 * out_channels) if condition else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """(B, in, H, W), and (B, condition) where there is one -> (B, out, H, W)."""
        hidden = F.relu(self.norm1(features))
        hidden = self.norm2(self.conv1(hidden))
        if self.film is not None:
            assert condition is not None
            scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
            hidden = torch.addcmul(shift, hidden, 1 + scale)
        output: Tensor = self.shortcut(features) + self.conv2(self.dropout(F.relu(hidden)))
        return output


class SelfAttention(nn.Module):
    """Multi-head self-attention between all positions, beside a shortcut.

    Vaswani et al. 2017, "Attention Is All You Need". Without position encoding, for images of any
    size; memory grows with the square of the number of pixels.

    Args:
        channels: of the features.
        heads: each of `channels / heads` channels.

    Raises:
        ValueError: heads that do not divide the channels.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or channels % heads:
            raise ValueError(f"attention_heads={heads} do not divide {channels} channels")
        self.heads = heads
        self.norm = nn.BatchNorm2d(channels)
        self.queries_keys_values = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.project = nn.Conv2d(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, H, W) -> the same."""
        batch, channels, height, width = features.shape
        every = self.queries_keys_values(self.norm(features))
        every = every.reshape(batch, 3, self.heads, channels // self.heads, height * width)
        queries, keys, values = every.transpose(-1, -2).unbind(1)  # (B, heads, H*W, channels/heads)
        seen = F.scaled_dot_product_attention(queries, keys, values)
        seen = seen.transpose(-1, -2).reshape(batch, channels, height, width)
        output: Tensor = features + self.project(seen)
        return output


class TimeEmbedding(nn.Module):
    """A time in [0, 1] as a vector: sines and cosines (Vaswani et al. 2017) and a layer.

    Args:
        dimensions: length of the vector, even.
    """

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.pairs = dimensions // 2
        self.layer = nn.Sequential(nn.Linear(2 * self.pairs, dimensions), nn.SiLU())

    def forward(self, time: Tensor) -> Tensor:
        """(B,) -> (B, dimensions)."""
        # Not a buffer: averaging the weights would average it.
        powers = torch.arange(self.pairs, device=time.device) / self.pairs
        angles = time[:, None] * 1000 ** (1 - powers)
        embedded: Tensor = self.layer(torch.cat((angles.sin(), angles.cos()), dim=1))
        return embedded


def check_divisible(height: int, width: int, levels: int) -> None:
    """Raise ValueError for an image that cannot be halved `levels` times."""
    factor = 2**levels
    if height % factor or width % factor:
        raise ValueError(
            f"images of {height}x{width} cannot be halved {levels} times: "
            f"height and width must be multiples of {factor}"
        )


def image_generators(gray: Tensor) -> list[torch.Generator]:
    """A generator for each gray image, (B, 1, H, W), seeded by the image alone, on the CPU."""
    # Luminances of 8-bit colours are multiples of 1 / 255,000: no device rounds them otherwise.
    sums = gray.double().mul(255_000).round().sum(dim=(1, 2, 3)).long().tolist()
    return [torch.Generator().manual_seed(total) for total in sums]
