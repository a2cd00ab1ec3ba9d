"""The interfaces of networks and of colour representations."""

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

from torch import Tensor, nn


class Representation(ABC):
    """A colour space that a network can work in.

    `decode(gray, encode(rgb))` is `rgb` again, or near it, for `gray = luma(rgb)`. One that keeps
    the gray image as the luminance enlarges a coarser raw output to its size, or says which size it
    needs.
    """

    channels: int
    """Channels of the network's raw output."""

    @abstractmethod
    def encode(self, rgb: Tensor) -> Tensor:
        """The output that a perfect network would give: (B, 3, H, W) -> (B, channels, h, w)."""

    @abstractmethod
    def decode(self, gray: Tensor, output: Tensor) -> Tensor:
        """RGB, not clamped: (B, 1, H, W) and (B, channels, h, w) -> (B, 3, H, W)."""


class Network(Protocol):
    """A network from gray to a raw output; `multiple_of` and `stride` have defaults."""

    multiple_of: int
    """Height and width of its input are multiples of this; 1 where it says nothing."""

    stride: int
    """Its output has 1/stride of the input's height and width; 1 where it says nothing."""

    def __call__(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) in [0, 1] -> raw output (B, channels, H/stride, W/stride)."""


@runtime_checkable
class FeatureNetwork(Protocol):
    """A network that classes can be learned from, too: `task.label_weight`."""

    num_features: int
    """Channels of its coarsest features."""

    def forward_features(self, gray: Tensor) -> Tensor:
        """The coarsest features: (B, 1, H, W) -> (B, num_features, h, w)."""

    def __call__(self, gray: Tensor, with_features: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """The raw output; `with_features`, the coarsest features of the same pass beside it."""


def multiple_of(network: nn.Module) -> int:
    """Return the number that height and width of a network's input must be multiples of."""
    return int(getattr(network, "multiple_of", 1))


def stride(network: nn.Module) -> int:
    """Return the factor by which a network's output is coarser than its input."""
    return int(getattr(network, "stride", 1))
