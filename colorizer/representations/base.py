"""The interface of a colour representation."""

from abc import ABC, abstractmethod

from torch import Tensor


class Representation(ABC):
    """A colour space that a network can work in.

    `decode(gray, encode(rgb))` is `rgb` again, for `gray = luma(rgb)`.
    """

    channels: int
    """Channels of the network's raw output."""

    @abstractmethod
    def encode(self, rgb: Tensor) -> Tensor:
        """The output that a perfect network would give: (B, 3, H, W) -> (B, channels, H, W)."""

    @abstractmethod
    def decode(self, gray: Tensor, output: Tensor) -> Tensor:
        """RGB, not clamped: (B, 1, H, W) and (B, channels, H, W) -> (B, 3, H, W)."""
