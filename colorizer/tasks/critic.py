"""A critic: what a generative model is trained against."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.ranges import Widths

SLOPE = 0.2


class Critic(nn.Module):
    """Gives a score to the chroma of a gray image: the more real, the higher.

    A residual network without normalization, so that the scores of images do not depend on each
    other, as in Huang et al. 2024 ("The GAN is dead; long live the GAN! A Modern GAN Baseline").

    Args:
        in_channels: of the raw output, at half the gray image's resolution.
        widths: channels at 1/2, 1/4, ... resolution.
    """

    def __init__(self, in_channels: int, widths: Widths) -> None:
        super().__init__()
        widths = list(widths)
        self.stem = nn.Conv2d(in_channels + 4, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(_Block(width) for width in widths)
        self.wider = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in pairwise(widths))
        self.score = nn.Linear(widths[-1], 1)

    def forward(self, gray: Tensor, output: Tensor) -> Tensor:
        """(B, 1, H, W) in [0, 1] and the raw output (B, C, H/2, W/2) -> (B,)."""
        features = self.stem(torch.cat((F.pixel_unshuffle(gray, 2), output), dim=1))
        features = self.blocks[0](features)
        for wider, block in zip(self.wider, self.blocks[1:], strict=True):
            features = block(wider(F.avg_pool2d(features, 2)))
        score: Tensor = self.score(F.leaky_relu(features, SLOPE).mean((2, 3)))
        return score[:, 0]


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which alone is there at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, features: Tensor) -> Tensor:
        hidden = F.leaky_relu(self.first(F.leaky_relu(features, SLOPE)), SLOPE)
        output: Tensor = features + self.second(hidden)
        return output
