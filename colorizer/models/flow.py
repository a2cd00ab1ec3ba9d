"""A generative model: noise that flows into chroma."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from colorizer.representations import Representation


class PyramidNoise(nn.Module):
    """Noise of variance 1 that is distributed somewhat as the chroma of photographs is.

    More than half of the variance of CIFAR-10's chroma is that of the images' mean colours, where
    white noise has hardly any: a flow from white noise settles them in its first moments, from
    nearly nothing. So noise of several resolutions is added up; Whitaker 2023 ("Multi-resolution
    noise for diffusion model training") did so for fine-tuning, Guth et al. 2022 ("Wavelet
    score-based generative modeling") say why the spectra are to agree.

    And some images have ten times as much colour as others, where Gaussian noise of thousands of
    pixels always has nearly the same strength: whether an image is to be pale or vivid would hang
    on a few hundredths of it. So the strength is drawn, too, for each image; Pandey et al. 2024
    ("Heavy-Tailed Diffusion Models") say why the tails are to agree.

    Args:
        shares: of the variance at 1, 1/2, 1/4, ... of the resolution.
        channels: the first ones, which have it; the others have white noise.
        spread: standard deviation of the logarithm of an image's strength, which is normal.

    Raises:
        ValueError: shares that do not sum to 1; channels or a spread that cannot be.
    """

    def __init__(self, shares: Sequence[float], channels: int, spread: float) -> None:
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


class Guide(nn.Module):
    """What a trained colorizer sees in an image; its weights do not change.

    Args:
        network: the colorizer's.
        representation: of the network's output.
        target: the representation that the answer is in.
    """

    def __init__(
        self, network: nn.Module, representation: Representation, target: Representation
    ) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.representation = representation
        self.target = target
        self.multiple_of = int(getattr(network, "multiple_of", 1))
        self.train(False)

    def train(self, mode: bool = True) -> "Guide":
        """It stays in evaluation mode."""
        return super().train(False)

    def forward(self, gray: Tensor) -> Tensor:
        """The raw output of its colours: (B, 1, H, W) -> (B, target.channels, h, w)."""
        output = self.network(gray).float()
        return self.target.encode(self.representation.decode(gray, output).clamp(0, 1))


class Flow(nn.Module):
    """Draws the raw output of a representation, of variance 1, given the gray image.

    A network says, at every time between 0 (noise) and 1 (chroma), where the image is to move; to
    follow it is to solve an ordinary differential equation, here with the midpoint method. Lipman
    et al. 2023, "Flow Matching for Generative Modeling"; Liu et al. 2023, "Flow Straight and Fast".

    With a guide, it draws what is to be added to the guide's careful colours, as Whang et al. 2022
    ("Deblurring via Stochastic Refinement") do; the network sees them, too. What is to be added
    varies less than the raw output (its averages have half the variance), which is left to the
    network.

    Args:
        out_channels: channels of the representation.
        velocity: makes the network, from `out_channels` and `state_channels`.
        noise: draws what it begins with: a shape, a generator or None, a device -> noise.
        steps: of the solver; the network is called twice in each.
        temperature: the strength of the noise that `forward` begins with: 0 is none, which gives
            pale colours (little more than the guide's, or hardly any), 1 what was trained with,
            which gives a sample.
        saturation: what `forward` multiplies the raw output by: above 1, it makes up for how pale
            colours without noise are.
        guide: (B, 1, H, W) -> a raw output; None: there is none.

    Raises:
        ValueError: steps, a temperature or a saturation that cannot be.
    """

    def __init__(
        self,
        out_channels: int,
        velocity: Callable[..., nn.Module],
        noise: Callable[..., Tensor],
        steps: int,
        temperature: float,
        saturation: float,
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
        self.multiple_of = int(self.velocity.multiple_of)  # type: ignore[arg-type]
        if guide:
            self.multiple_of = math.lcm(self.multiple_of, guide.multiple_of)
        self.stride = int(self.velocity.stride)  # type: ignore[arg-type]
        self.out_channels = out_channels
        self.noise = noise
        self.steps = steps
        self.temperature = temperature
        self.saturation = saturation

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, out_channels, H/stride, W/stride).

        The image is in [0, 1]. Its noise depends on the image alone, so that it always gets the
        same colours.

        Raises:
            ValueError: H or W is no multiple of `multiple_of`.
        """
        noise = gray.new_zeros(self._shape(gray))
        if self.temperature:
            noise = self.temperature * self._noise_of(gray)
        return self.saturation * self.follow(gray, noise)

    def sample(self, gray: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """(B, 1, H, W) -> (k, B, out_channels, h, w), as what was trained with: from
        noise of temperature 1, and with saturation 1.

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
        return torch.stack([self.follow(gray, one.to(gray)) for one in noise])

    def follow(self, gray: Tensor, noise: Tensor) -> Tensor:
        """From noise to the raw output: (B, 1, H, W) and (B, C, h, w) -> (B, C, h, w)."""
        careful = self.careful(gray)
        state, step = noise, 1 / self.steps
        for index in range(self.steps):
            time = gray.new_full((len(gray),), index * step)
            halfway = state + step / 2 * self.moving(gray, careful, state, time)
            state = state + step * self.moving(gray, careful, halfway, time + step / 2)
        return state if careful is None else careful + state

    def careful(self, gray: Tensor) -> Tensor | None:
        """The guide's raw output, to which the flow adds: (B, 1, H, W) -> (B, C, h, w)."""
        if self.guide is None:
            return None
        with torch.no_grad():
            output: Tensor = self.guide(gray)
        return output

    def moving(self, gray: Tensor, careful: Tensor | None, state: Tensor, time: Tensor) -> Tensor:
        """Where to, and how fast: (B, 1, H, W), twice (B, C, h, w), and (B,) -> (B, C, h, w).

        The best linear guess, were what is drawn of variance 1, which the network corrects; what it
        sees of the state has variance 1 then, at every time (Karras et al. 2022, "Elucidating the
        Design Space of Diffusion-Based Generative Models").
        """
        at = time.view(-1, 1, 1, 1)
        variance = at**2 + (1 - at) ** 2
        seen = state / variance.sqrt()
        if careful is not None:
            seen = torch.cat((seen, careful), dim=1)
        correction: Tensor = self.velocity(gray, seen, time)
        return (2 * at - 1) / variance * state + correction

    def _noise_of(self, gray: Tensor) -> Tensor:
        """Noise that depends on each image alone."""
        shape = self._shape(gray)[1:]
        # Luminances of 8-bit colours are multiples of 1 / 255,000: no device rounds them otherwise.
        sums = gray.double().mul(255_000).round().sum(dim=(1, 2, 3)).long().tolist()
        cpu = torch.device("cpu")
        drawn = [self.noise(shape, torch.Generator().manual_seed(s), cpu) for s in sums]
        return torch.stack(drawn).to(gray)

    def _shape(self, gray: Tensor) -> tuple[int, int, int, int]:
        batch, _, height, width = gray.shape
        return batch, self.out_channels, height // self.stride, width // self.stride
