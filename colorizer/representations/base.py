"""The interface of a colour representation."""

from abc import ABC, abstractmethod

from torch import Tensor
from torch.nn import functional as F


class Representation(ABC):
    """A colour space that a network can work in.

    `decode(gray, encode(rgb))` is `rgb` again, for `gray = luma(rgb)`. A raw output that is coarser
    than the gray image is enlarged to its size.
    """

    channels: int
    """Channels of the network's raw output."""

    @abstractmethod
    def encode(self, rgb: Tensor) -> Tensor:
        """The output that a perfect network would give: (B, 3, H, W) -> (B, channels, H, W)."""

    @abstractmethod
    def decode(self, gray: Tensor, output: Tensor) -> Tensor:
        """RGB, not clamped: (B, 1, H, W) and (B, channels, h, w) -> (B, 3, H, W)."""


def enlarged(values: Tensor, gray: Tensor) -> Tensor:
    """Coarse values at the size of the gray image, bicubically.

    Of chroma averaged over 2x2 pixels, this loses a third of the squared error that bilinear
    enlargement does (39.1 against 37.2 dB on CIFAR-10), and nearest neighbour leaves blocks that
    classifiers trip over.
    """
    size = gray.shape[-2:]
    if values.shape[-2:] == size:
        return values
    return F.interpolate(values, size=size, mode="bicubic", align_corners=False)
