"""A generative model: noise that is carried to chroma."""

import math
from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from torch import Tensor, nn

from colorizer.interfaces import multiple_of, stride
from colorizer.models.blocks import image_generators
from colorizer.models.guide import Guide
from colorizer.ranges import Channels, Length, NotNegative, Positive, Range, Share


class PyramidNoise(nn.Module):
    """Noise of variance 1 whose spectrum and strength are like those of photographs' chroma.

    More than half of the variance of CIFAR-10's chroma is in the images' mean colours, where white
    noise has hardly any: a flow from white noise would settle them in its first moments, from
    nearly nothing. So noise of several resolutions is added up, as Whitaker 2023 ("Multi-resolution
    noise for diffusion model training") did for fine-tuning; Guth et al. 2022 ("Wavelet score-based
    generative modeling") say why the spectra should agree.

    Some images have ten times as much colour as others, but Gaussian noise of thousands of pixels
    always has nearly the same strength. So the strength is drawn for each image, too; Pandey et al.
    2024 ("Heavy-Tailed Diffusion Models") say why the tails should agree.

    Args:
        shares: of the variance at 1, 1/2, 1/4, ... of the resolution.
        channels: how many of the first channels have it; the others have white noise.
        spread: standard deviation of the logarithm of an image's strength, which is normal.

    Raises:
        ValueError: shares that do not sum to 1, or negative channels or spread.
    """

    def __init__(
        self,
        shares: Annotated[Sequence[Share], Length(1, 10)],
        channels: Annotated[int, Range(0, 8192)],
        spread: NotNegative,
    ) -> None:
        super().__init__()
        if not shares or min(shares) < 0 or not abs(sum(shares) - 1) <= 1e-6:
            raise ValueError(f"model.noise.shares={list(shares)}: at least 0, and 1 in all")
        if type(channels) is not int or channels < 0:
            raise ValueError(f"model.noise.channels={channels}: a whole number from 0")
        if not 0 <= spread < math.inf:
            raise ValueError(f"model.noise.spread={spread}: at least 0")
        self.shares = list(shares)
        self.channels = channels
        self.spread = spread

    def forward(
        self, shape: Sequence[int], generator: torch.Generator | None, device: torch.device
    ) -> Tensor:
        """Noise of a shape (..., C, H, W), drawn on the device, or on the generator's."""
        place = device if generator is None else generator.device
        *images, _, height, width = shape
        noise = torch.randn(*shape, generator=generator, device=place)
        coarse = noise[..., : self.channels, :, :]
        coarse *= self.shares[0] ** 0.5
        for level, share in enumerate(self.shares[1:], start=1):
            size = [-(-side // 2**level) for side in (height, width)]
            patches = torch.randn(*coarse.shape[:-2], *size, generator=generator, device=place)
            for axis in (-1, -2):
                patches = patches.repeat_interleave(2**level, dim=axis)
            coarse += share**0.5 * patches[..., :height, :width]
        normal = torch.randn(*images, 1, 1, 1, generator=generator, device=place)
        noise *= (self.spread * normal - self.spread**2).exp()  # the mean of the squares is 1
        return noise.to(device)


class Flow(nn.Module):
    """Draws the raw output of a representation, of variance 1, given the gray image.

    A network predicts the velocity that carries noise (time 0) to chroma (time 1). Drawing is to
    integrate this ordinary differential equation, here with the midpoint method. Lipman et al.
    2023, "Flow Matching for Generative Modeling"; Liu et al. 2023, "Flow Straight and Fast".

    With a guide, it draws the residual that is added to the guide's output, which the network sees
    too, as Whang et al. 2022 ("Deblurring via Stochastic Refinement") do. The residual varies less
    than the raw output (its averages have half the variance), which is left to the network.

    Args:
        out_channels: channels of the representation.
        velocity: makes the network, from `out_channels` and `state_channels`.
        noise: draws the initial noise: a shape, a generator or None, a device -> noise.
        steps: of the midpoint method; each calls the network twice.
        temperature: strength of the initial noise in `forward`: 0 is none, which gives pale colours
            (little more than the guide's, or hardly any); 1 as in training, which gives a sample.
        saturation: factor of the raw output in `forward`: above 1, it makes up for how pale colours
            without noise are.
        guide: (B, 1, H, W) -> a raw output; None: there is none.

    Raises:
        ValueError: steps, a temperature or a saturation out of range.
    """

    def __init__(
        self,
        out_channels: Channels,
        velocity: Callable[..., nn.Module],
        noise: Callable[..., Tensor],
        steps: Annotated[int, Range(1, 1000)],
        temperature: NotNegative,
        saturation: Positive,
        guide: Guide | None = None,
    ) -> None:
        super().__init__()
        if type(steps) is not int or steps < 1:
            raise ValueError(f"model.steps={steps}: a whole number from 1")
        if not 0 <= temperature < math.inf:
            raise ValueError(f"model.temperature={temperature}: at least 0")
        if not 0 < saturation < math.inf:
            raise ValueError(f"model.saturation={saturation}: above 0")
        seen = out_channels * (2 if guide else 1)
        self.velocity = velocity(out_channels=out_channels, state_channels=seen)
        self.guide = guide
        self.multiple_of = multiple_of(self.velocity)
        if guide:
            self.multiple_of = math.lcm(self.multiple_of, guide.multiple_of)
        self.stride = stride(self.velocity)
        self.out_channels = out_channels
        self.noise = noise
        self.steps = steps
        self.temperature = temperature
        self.saturation = saturation

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) in [0, 1] -> (B, out_channels, H/stride, W/stride).

        The noise depends on the image alone, so that it always gets the same colours.

        Raises:
            ValueError: H or W is no multiple of `multiple_of`.
        """
        noise = gray.new_zeros(self._shape(gray))
        if self.temperature:
            noise = self.temperature * self._noise_of(gray)
        return self.saturation * self.integrate(gray, noise)

    def sample(self, gray: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """(B, 1, H, W) -> (k, B, out_channels, h, w), at temperature 1 and saturation 1.

        Args:
            gray: the images.
            k: how many samples of each.
            generator: of the noise, on the images' device.

        Raises:
            ValueError: k is less than 1, or H or W no multiple of `multiple_of`.
        """
        if k < 1:
            raise ValueError(f"k={k}: at least one sample")
        shape = self._shape(gray)
        noise = [self.noise(shape, generator, gray.device) for _ in range(k)]
        return torch.stack([self.integrate(gray, one.to(gray)) for one in noise])

    def integrate(self, gray: Tensor, noise: Tensor) -> Tensor:
        """The raw output that noise is carried to: (B, 1, H, W), (B, C, h, w) -> (B, C, h, w)."""
        guide_output = self.guide_output(gray)
        state, step = noise, 1 / self.steps
        for index in range(self.steps):
            time = gray.new_full((gray.shape[0],), index * step)
            midpoint = state + step / 2 * self.velocity_at(gray, guide_output, state, time)
            state = state + step * self.velocity_at(gray, guide_output, midpoint, time + step / 2)
        return state if guide_output is None else guide_output + state

    def guide_output(self, gray: Tensor) -> Tensor | None:
        """The guide's raw output, to which the flow adds: (B, 1, H, W) -> (B, C, h, w)."""
        return None if self.guide is None else self.guide(gray)

    def velocity_at(
        self, gray: Tensor, guide_output: Tensor | None, state: Tensor, time: Tensor
    ) -> Tensor:
        """The velocity: (B, 1, H, W), twice (B, C, h, w), and (B,) in [0, 1] -> (B, C, h, w)."""
        correction = self.velocity(gray, self.network_input(guide_output, state, time), time)
        return self.corrected(correction, state, time)

    def network_input(self, guide_output: Tensor | None, state: Tensor, time: Tensor) -> Tensor:
        """The network's input beside the gray image: the state and the guide's output.

        The state is scaled to variance 1 at every time (Karras et al. 2022, "Elucidating the Design
        Space of Diffusion-Based Generative Models").
        """
        scaled = state / _variance(time).sqrt()
        return scaled if guide_output is None else torch.cat((scaled, guide_output), dim=1)

    def corrected(self, correction: Tensor, state: Tensor, time: Tensor) -> Tensor:
        """The velocity: the best linear guess for data of variance 1, corrected by the network."""
        return (2 * time.view(-1, 1, 1, 1) - 1) / _variance(time) * state + correction

    def _noise_of(self, gray: Tensor) -> Tensor:
        """Noise that depends on each image alone."""
        shape = self._shape(gray)[1:]
        cpu = torch.device("cpu")
        drawn = [self.noise(shape, generator, cpu) for generator in image_generators(gray)]
        return torch.stack(drawn).to(gray)

    def _shape(self, gray: Tensor) -> tuple[int, int, int, int]:
        batch, _, height, width = gray.shape
        return batch, self.out_channels, height // self.stride, width // self.stride


def _variance(time: Tensor) -> Tensor:
    """Variance of the state, for data of variance 1: (B,) -> (B, 1, 1, 1)."""
    at = time.view(-1, 1, 1, 1)
    return at**2 + (1 - at) ** 2
