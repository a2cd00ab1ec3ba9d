"""The control: one fully connected layer."""

from typing import Annotated

from torch import Tensor, nn

from colorizer.ranges import Channels, Range


class Linear(nn.Module):
    """One fully connected layer from every pixel to every pixel, 3072 -> 3072 on CIFAR-10.

    The gray image is repeated to three channels, as in the coursework that this control comes from.
    It can keep structure only by learning it, pixel by pixel.

    Args:
        out_channels: channels of the representation.
        image_size: height and width; other images are refused.
    """

    def __init__(self, out_channels: Channels, image_size: Annotated[int, Range(1, 1024)]) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.image_size = image_size
        pixels = image_size**2
        self.layer = nn.Linear(3 * pixels, out_channels * pixels)

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, out_channels, H, W)."""
        size = self.image_size
        if gray.shape[1:] != (1, size, size):
            shape = tuple(gray.shape)
            raise ValueError(f"expected gray of shape (B, 1, {size}, {size}), got {shape}")
        flat = gray.expand(-1, 3, -1, -1).flatten(1)
        output: Tensor = self.layer(flat)
        return output.view(-1, self.out_channels, size, size)
