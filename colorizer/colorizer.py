"""The one thing that evaluation, pictures and commands know: gray in, colour out."""

import torch
from torch import Tensor, nn

from colorizer.representations import Representation


class Colorizer(nn.Module):
    """A network and what its output means: `forward(gray) -> rgb`.

    Args:
        network: (B, 1, H, W) -> (B, representation.channels, H, W).
        representation: how the raw output becomes RGB.
    """

    def __init__(self, network: nn.Module, representation: Representation) -> None:
        super().__init__()
        # Convolutions are 1.3 to 1.8 times as fast in this layout on a CPU.
        self.network = network.to(memory_format=torch.channels_last)
        self.representation = representation

    def decode(self, gray: Tensor) -> Tensor:
        """RGB before clamping, as losses see it: (B, 1, H, W) in [0, 1] -> (B, 3, H, W) float32."""
        output: Tensor = self.network(gray)
        return self.representation.decode(gray, output.float())

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [0, 1]."""
        return self.decode(gray).clamp(0, 1)
