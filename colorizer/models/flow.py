"""A generative model: noise that flows into chroma."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Flow(nn.Module):
    """Draws the raw output of a representation, of variance 1, given the gray image.

    A network says, at every time between 0 (noise) and 1 (chroma), where the image is to move; to
    follow it is to solve an ordinary differential equation, here with the midpoint method. Lipman
    et al. 2023, "Flow Matching for Generative Modeling"; Liu et al. 2023, "Flow Straight and Fast".

    Args:
        out_channels: channels of the representation.
        velocity: makes the network, from `out_channels` and `state_channels`.
        steps: of the solver; the network is called twice in each.
        temperature: of the noise that `forward` begins with: 0 is none, which gives the most
            careful colours, 1 what was trained with, which gives the most varied ones.
    """

    def __init__(
        self,
        out_channels: int,
        velocity: Callable[..., nn.Module],
        steps: int,
        temperature: float,
    ) -> None:
        super().__init__()
        if steps < 1 or steps != int(steps):
            raise ValueError(f"model.steps={steps}: a whole number, at least 1")
        if not temperature >= 0:
            raise ValueError(f"model.temperature={temperature}: at least 0")
        self.velocity = velocity(out_channels=out_channels, state_channels=out_channels)
        self.multiple_of = int(self.velocity.multiple_of)  # type: ignore[arg-type]
        self.stride = int(self.velocity.stride)  # type: ignore[arg-type]
        self.out_channels = out_channels
        self.steps = steps
        self.temperature = temperature

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, out_channels, H/stride, W/stride).

        The noise of an image depends on the image alone, so that it always gets the same colours.
        """
        shape = self._shape(gray)[1:]
        if not self.temperature:
            return self.follow(gray, gray.new_zeros(len(gray), *shape))
        # Luminances of 8-bit colours are multiples of 1 / 255,000: no device rounds them otherwise.
        sums = gray.double().mul(255_000).round().sum(dim=(1, 2, 3)).long().tolist()
        noise = [torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in sums]
        return self.follow(gray, torch.stack(noise).to(gray) * self.temperature)

    def sample(self, gray: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """(B, 1, H, W) -> (k, B, out_channels, h, w), from noise of temperature 1.

        Args:
            gray: the images.
            k: how many samples of each, at least 1.
            generator: of the noise, on the images' device.
        """
        shape = self._shape(gray)
        noise = [torch.randn(shape, generator=generator, device=gray.device) for _ in range(k)]
        return torch.stack([self.follow(gray, one.to(gray)) for one in noise])

    def follow(self, gray: Tensor, noise: Tensor) -> Tensor:
        """From noise to the raw output: (B, 1, H, W) and (B, C, h, w) -> (B, C, h, w)."""
        state, step = noise, 1 / self.steps
        for index in range(self.steps):
            time = gray.new_full((len(gray),), index * step)
            halfway = state + step / 2 * self.velocity(gray, state, time)
            state = state + step * self.velocity(gray, halfway, time + step / 2)
        return state

    def _shape(self, gray: Tensor) -> tuple[int, int, int, int]:
        batch, _, height, width = gray.shape
        return batch, self.out_channels, height // self.stride, width // self.stride
