"""A compact residual network that classifies colour images after few epochs."""

import itertools
from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.ranges import Channels, Length, Range

# Images at a time on a CPU, whose caches hold what is computed of them: a fifth faster than 500.
TOGETHER = 125

# Of the whitening layer's patches, in pixels each way.
PATCH = 2

# Keeps directions in which patches hardly differ from being blown up: 5e-4 for images of standard
# deviation 1 (Jordan 2024), which is about 0.25 for those in [0, 1].
WHITENING_FLOOR = 5e-4 * 0.25**2


def in_parts(make: Callable[[Tensor], Tensor], rgb: Tensor, together: int) -> Tensor:
    """Make features (B, D) of images (B, 3, H, W), on a CPU of so many at a time."""
    parts = rgb.split(together) if rgb.device.type == "cpu" else (rgb,)
    return torch.cat([make(part) for part in parts])


class JudgeNetwork(nn.Module):
    """RGB -> class scores, and the features that they are made of.

    The quick ways of Page 2018, "How to Train Your ResNet", and Jordan 2024, "94% on CIFAR-10 in
    3.29 Seconds on a Single GPU": a fixed first layer that whitens patches, pooling before
    normalization, few blocks, a global maximum.

    Args:
        classes: scores.
        widths: channels of the blocks, each of which halves the resolution.
        convolutions: in the residual branch of a block.
    """

    def __init__(
        self,
        classes: Annotated[int, Range(2, 100_000)],
        widths: Annotated[Sequence[Channels], Length(1, 10)],
        convolutions: Annotated[int, Range(0, 100)],
    ) -> None:
        super().__init__()
        whitened = 2 * 3 * PATCH**2
        self.whitening = nn.Conv2d(3, whitened, PATCH)
        self.whitening.requires_grad_(False)
        self.blocks = nn.Sequential(
            *(
                _Block(before, after, convolutions)
                for before, after in itertools.pairwise([whitened, *widths])
            )
        )
        self.scores = nn.Linear(widths[-1], classes, bias=False)
        self.dimensions = widths[-1]
        self.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def whiten(self, rgb: Tensor) -> None:
        """Set the first layer: principal directions of patches, both signs, at equal variance.

        Args:
            rgb: training images, (N, 3, H, W) in [0, 1].
        """
        patches = F.unfold(rgb, PATCH).transpose(1, 2).flatten(0, 1).double()
        mean = patches.mean(0)
        variances, directions = torch.linalg.eigh(torch.cov(patches.T))
        filters = (directions / (variances + WHITENING_FLOOR).sqrt()).T
        filters = torch.cat([filters, -filters])
        self.whitening.weight.copy_(filters.view_as(self.whitening.weight))
        self.whitening.bias = nn.Parameter((-filters @ mean).float(), requires_grad=False)

    def features(self, rgb: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, widths[-1])."""
        found: Tensor = self.blocks(self.whitening(rgb).relu_()).amax((2, 3))
        return found

    def look(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [0, 1] -> features (B, widths[-1]), class scores (B, classes)."""
        features = in_parts(self.features, rgb, TOGETHER)
        return features, self.scores(features)

    def forward(self, rgb: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> class scores (B, classes), before softmax."""
        # Scaled down, so that training begins with nearly equal probabilities (Page 2018).
        scores: Tensor = self.scores(self.features(rgb)) / 8
        return scores


class _Block(nn.Module):
    """Halves the resolution, then adds a residual branch."""

    def __init__(self, in_channels: int, out_channels: int, convolutions: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.normalization = nn.BatchNorm2d(out_channels)
        self.branch = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
                    nn.BatchNorm2d(out_channels),
                    nn.ReLU(inplace=True),
                )
                for _ in range(convolutions)
            )
        )

    def forward(self, inputs: Tensor) -> Tensor:
        halved = F.max_pool2d(self.convolution(inputs), 2)
        features = self.normalization(halved).relu()
        return features + self.branch(features)
