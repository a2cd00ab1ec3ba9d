"""Ensembles: the mean of what several trained colorizers give, each for both mirror images."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Ensemble(nn.Module):
    """The mean output of colorizers for an image and, mirrored back, for its mirror image.

    The mean minimises squared error over what the members believe (Hansen and Salamon 1990,
    "Neural Network Ensembles"); it is paler than any of them.

    Args:
        members: gray (B, 1, H, W) -> RGB (B, 3, H, W), both in [0, 1]; at least one.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [0, 1]."""
        there = [member(gray) for member in self.members]
        back = [member(gray.flip(-1)).flip(-1) for member in self.members]
        return torch.stack(there + back).mean(0)
