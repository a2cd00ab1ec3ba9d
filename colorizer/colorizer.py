"""The one thing that evaluation, pictures and commands know: gray in, colour out."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.interfaces import Representation, multiple_of, stride


@runtime_checkable
class Drawing(Protocol):
    """A representation that can draw from what a network predicts."""

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw a raw output from a network's prediction, both (B, channels, h, w)."""


@runtime_checkable
class Sampling(Protocol):
    """A colorizer that can give several answers, or a network that can draw its raw output."""

    def sample(self, gray: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """(B, 1, H, W) -> (k, B, channels, h, w): RGB in [0, 1], or raw outputs."""


class Colorizer(nn.Module):
    """A network and what its output means: `forward(gray) -> rgb`.

    Images of any size are padded at the right and at the bottom to the network's `multiple_of`.

    Args:
        network: (B, 1, H, W) -> (B, representation.channels, H/stride, W/stride); see `Network` of
            `colorizer.interfaces`.
        representation: how the raw output becomes RGB.
    """

    def __init__(self, network: nn.Module, representation: Representation) -> None:
        super().__init__()
        # Convolutions are 1.3 to 1.8 times as fast in this layout on a CPU.
        self.network = network.to(memory_format=torch.channels_last)
        self.representation = representation

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [0, 1].

        Raises:
            ValueError: see `decode`.
        """
        return self.decode(gray).clamp(0, 1)

    def decode(self, gray: Tensor, output: Tensor | None = None) -> Tensor:
        """RGB before clamping, as losses see it: (B, 1, H, W) in [0, 1] -> (B, 3, H, W) float32.

        Args:
            gray: the images.
            output: the network's, for `pad(gray)`; None: the network is called.

        Raises:
            ValueError: the images are not gray, not floating point, or of a size that the network
                does not take; or the output's size fits neither theirs nor the network's stride.
        """
        padded = self.pad(gray)
        if output is None:
            output = self.network(padded)
        self._check_size(padded, output)
        height, width = gray.shape[-2:]
        # Half precision has not the 8 bits of an image.
        with torch.autocast(gray.device.type, enabled=False):
            return self.representation.decode(padded, output.float())[..., :height, :width]

    def pad(self, gray: Tensor) -> Tensor:
        """Gray images whose height and width are multiples of the network's `multiple_of`."""
        if gray.ndim != 4 or gray.shape[1] != 1:
            raise ValueError(f"gray images are (B, 1, H, W), and these are {tuple(gray.shape)}")
        if not gray.is_floating_point():
            raise ValueError(f"gray images are real numbers in [0, 1], and these are {gray.dtype}")
        multiple = multiple_of(self.network)
        below, right = (-size % multiple for size in gray.shape[-2:])
        return F.pad(gray, (0, right, 0, below), mode="replicate") if below or right else gray

    def _check_size(self, padded: Tensor, output: Tensor) -> None:
        (height, width), (h, w), coarser = (
            padded.shape[-2:],
            output.shape[-2:],
            stride(self.network),
        )
        if (h, w) != (height, width) and (h * coarser, w * coarser) != (height, width):
            raise ValueError(
                f"{type(self.network).__name__} gives {h}x{w} for images of {height}x{width}, and "
                f"its stride is {coarser}: a network says by `stride` how much coarser its output "
                "is, and by `multiple_of` which sizes it takes"
            )


class StochasticColorizer(Colorizer):
    """A colorizer that can give several answers; `forward` is its best single one."""

    def sample(self, gray: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """(B, 1, H, W) -> (k, B, 3, H, W), both in [0, 1].

        The same for the same images together and the same seed on the same device. The temperature
        and the saturation of a `Flow` are of `forward` alone; the temperature of `ChromaBins` is of
        both.

        Args:
            gray: the images.
            k: how many colorizations of each.
            generator: of the randomness, on the images' device.

        Raises:
            ValueError: k is less than 1; or see `decode`.
        """
        if k < 1:
            raise ValueError(f"k={k}: at least one sample")
        padded = self.pad(gray)
        if isinstance(self.network, Sampling):
            outputs = iter(self.network.sample(padded, k, generator))
        else:
            assert isinstance(self.representation, Drawing)
            predicted, draw = self.network(padded).float(), self.representation.draw
            # One after another: a prediction of many bins is large.
            outputs = (draw(predicted, generator) for _ in range(k))
        return torch.stack([self.decode(gray, output).clamp(0, 1) for output in outputs])


def colorizer_of(network: nn.Module, representation: Representation) -> Colorizer:
    """A network and a representation as a colorizer, one with `sample` where either can draw."""
    stochastic = isinstance(network, Sampling) or isinstance(representation, Drawing)
    return (StochasticColorizer if stochastic else Colorizer)(network, representation)
