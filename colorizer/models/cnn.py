"""A plain convolutional network."""

from typing import Annotated

import torch
from torch import Tensor, nn

from colorizer.models.blocks import conv_block
from colorizer.ranges import Channels, Range


class CNN(nn.Module):
    """3x3 convolutions at full resolution with batch normalization, then one without.

    Args:
        out_channels: channels of the representation.
        width: channels of the hidden layers.
        depth: number of convolutions; the receptive field is 2 * depth + 1 pixels wide.
        passthrough: give the last convolution the gray image beside the last hidden layer.
    """

    def __init__(
        self,
        out_channels: Channels,
        width: Channels,
        depth: Annotated[int, Range(2, 200)],
        passthrough: bool,
    ) -> None:
        super().__init__()
        if depth < 2:
            raise ValueError(f"model.depth={depth}: at least 2")
        self.passthrough = passthrough
        self.hidden = nn.Sequential(
            conv_block(1, width), *(conv_block(width, width) for _ in range(depth - 2))
        )
        self.last = nn.Conv2d(width + int(passthrough), out_channels, 3, padding=1)

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, out_channels, H, W), any height and width."""
        features = self.hidden(gray)
        if self.passthrough:
            features = torch.cat((features, gray), dim=1)
        output: Tensor = self.last(features)
        return output
