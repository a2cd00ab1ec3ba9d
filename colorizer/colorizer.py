"""The one thing that evaluation, pictures and commands know: gray in, colour out."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.representations import Representation


@runtime_checkable
class Drawing(Protocol):
    """A representation that can draw from what a network predicts."""

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """What a network predicts -> a raw output, both (B, channels, h, w)."""


@runtime_checkable
class Sampling(Protocol):
    """A colorizer that can give several answers, or a network that can draw its raw output."""

    def sample(self, gray: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """(B, 1, H, W) -> (k, B, channels, h, w): RGB in [0, 1], or raw outputs."""


class Colorizer(nn.Module):
    """A network and what its output means: `forward(gray) -> rgb`.

    Takes images of any size that the network takes, and of those that are no multiple of its
    `multiple_of`, too: they are padded at the right and at the bottom.

    Args:
        network: (B, 1, H, W) -> (B, representation.channels, H, W), or coarser.
        representation: how the raw output becomes RGB.
    """

    def __init__(self, network: nn.Module, representation: Representation) -> None:
        super().__init__()
        # Convolutions are 1.3 to 1.8 times as fast in this layout on a CPU.
        self.network = network.to(memory_format=torch.channels_last)
        self.representation = representation

    def decode(self, gray: Tensor) -> Tensor:
        """RGB before clamping, as losses see it: (B, 1, H, W) in [0, 1] -> (B, 3, H, W) float32.

        Raises:
            ValueError: the images are not gray, not of real numbers, or of a size that the network
                does not take.
        """
        padded = self._padded(gray)
        output: Tensor = self.network(padded)
        return self._decoded(padded, output, gray)

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [0, 1].

        Raises:
            ValueError: see `decode`.
        """
        return self.decode(gray).clamp(0, 1)

    def _padded(self, gray: Tensor) -> Tensor:
        if gray.ndim != 4 or gray.shape[1] != 1:
            raise ValueError(f"gray images are (B, 1, H, W), and these are {tuple(gray.shape)}")
        if not gray.is_floating_point():
            raise ValueError(f"gray images are real numbers in [0, 1], and these are {gray.dtype}")
        multiple = int(getattr(self.network, "multiple_of", 1))
        below, right = (-size % multiple for size in gray.shape[-2:])
        return F.pad(gray, (0, right, 0, below), mode="replicate") if below or right else gray

    def _decoded(self, padded: Tensor, output: Tensor, gray: Tensor) -> Tensor:
        height, width = gray.shape[-2:]
        # Half precision has not the 8 bits of an image.
        with torch.autocast(gray.device.type, enabled=False):
            return self.representation.decode(padded, output.float())[..., :height, :width]


class StochasticColorizer(Colorizer):
    """A colorizer that can give several answers; `forward` is its best single one."""

    def sample(self, gray: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """(B, 1, H, W) -> (k, B, 3, H, W), both in [0, 1].

        The same for the same seed of the same device, and the same images together.

        Args:
            gray: the images.
            k: how many colorizations of each.
            generator: of the randomness, on the images' device.

        The temperature and the saturation of a `Flow` are of `forward` alone; the temperature of
        `ChromaBins` is of both.

        Raises:
            ValueError: fewer than one; or see `decode`.
        """
        if k < 1:
            raise ValueError(f"k={k}: at least one sample")
        padded = self._padded(gray)
        if isinstance(self.network, Sampling):
            outputs = iter(self.network.sample(padded, k, generator))
        else:
            assert isinstance(self.representation, Drawing)
            predicted, draw = self.network(padded).float(), self.representation.draw
            # One after another: a prediction of many bins is large.
            outputs = (draw(predicted, generator) for _ in range(k))
        return torch.stack([self._decoded(padded, one, gray).clamp(0, 1) for one in outputs])


def colorizer_of(network: nn.Module, representation: Representation) -> Colorizer:
    """A network and a representation as a colorizer, one with `sample` where either can draw."""
    stochastic = isinstance(network, Sampling) or isinstance(representation, Drawing)
    return (StochasticColorizer if stochastic else Colorizer)(network, representation)
