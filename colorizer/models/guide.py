"""A trained colorizer that a generative model starts from."""

import torch
from torch import Tensor, nn

from colorizer.interfaces import Representation, multiple_of


class Guide(nn.Module):
    """A trained colorizer, frozen, whose output a generative model sees and adds to.

    Args:
        network: the colorizer's.
        representation: of the network's output.
        target: the model's representation, in which the output is given.
    """

    def __init__(
        self, network: nn.Module, representation: Representation, target: Representation
    ) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.representation = representation
        self.target = target
        self.multiple_of = multiple_of(network)
        self.train(False)

    def train(self, mode: bool = True) -> "Guide":
        """Stay in evaluation mode, whatever the mode of the model."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, gray: Tensor) -> Tensor:
        """The raw output of its colours: (B, 1, H, W) -> (B, target.channels, h, w)."""
        output = self.network(gray).float()
        return self.target.encode(self.representation.decode(gray, output).clamp(0, 1))
