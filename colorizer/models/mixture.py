"""Mixtures of normal distributions, one at each position, and a network's head that gives them."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Of the logarithms of standard deviations: at the start, and the least. Eight bits know no less.
LOG_DEVIATION, LEAST_LOG_DEVIATION = -1.0, -4.0


class Mixture(NamedTuple):
    """A mixture of K normal distributions of D numbers, one at each position.

    Of each pair of numbers, Cb and Cr, the second depends on the first.

    Args:
        logits: of the components, (B, K, h, w).
        means: (B, K, D, h, w).
        log_deviations: standard deviations' logarithms, the second of a pair given the first.
        slopes: how the second of a pair follows the first, (B, K, D / 2, h, w).
    """

    logits: Tensor
    means: Tensor
    log_deviations: Tensor
    slopes: Tensor

    def log_density(self, values: Tensor) -> Tensor:
        """Logarithm of the density at values: (B, D, h, w) -> (B, h, w), in nats."""
        apart = values[:, None] - self.means
        first, second = apart[:, :, 0::2], apart[:, :, 1::2]
        apart = torch.stack((first, second - self.slopes * first), dim=3).flatten(2, 3)
        scaled = apart * torch.exp(-self.log_deviations)
        each = -0.5 * scaled.square() - self.log_deviations - 0.5 * math.log(2 * math.pi)
        return torch.logsumexp(self.logits.log_softmax(1) + each.sum(2), dim=1)

    def draw(
        self,
        temperature: float,
        generators: Sequence[torch.Generator] = (),
        shared: bool = False,
    ) -> Tensor:
        """One draw at each position, (B, D, h, w).

        Args:
            temperature: 1: a sample; less: components that are likely more often, and less spread;
                0: the mean of the likeliest component.
            generators: of the randomness of all images, or of each; none: torch's own.
            shared: the positions of an image have the same randomness.
        """
        if temperature == 0:
            return _of(self.means, self.logits.argmax(1))
        logits, means = self.logits, self.means[:, 0]
        if shared:
            logits, means = logits[..., :1, :1], means[..., :1, :1]
        uniform = _random(torch.rand, logits, generators)
        normal = _random(torch.randn, means, generators)
        gumbel = -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
        chosen = (self.logits / temperature + gumbel).argmax(1)
        apart = temperature * _of(self.log_deviations, chosen).exp() * normal
        first = apart[:, 0::2]
        second = apart[:, 1::2] + _of(self.slopes, chosen) * first
        return _of(self.means, chosen) + torch.stack((first, second), dim=2).flatten(1, 2)


def _random(
    make: Callable[..., Tensor], like: Tensor, generators: Sequence[torch.Generator]
) -> Tensor:
    """Random numbers as many as others; without generators by torch's own."""
    if not generators:
        return make(like.shape, device=like.device).to(like)
    if len(generators) == 1:
        (one,) = generators
        return make(like.shape, generator=one, device=one.device).to(like)
    each = [make(like.shape[1:], generator=one, device=one.device) for one in generators]
    return torch.stack(each).to(like)


def _of(values: Tensor, component: Tensor) -> Tensor:
    """The values of a component: (B, K, D, h, w), (B, h, w) -> (B, D, h, w)."""
    index = component[:, None, None].expand(-1, -1, *values.shape[2:])
    return values.gather(1, index)[:, 0]


class MixtureHead(nn.Module):
    """Features to a mixture.

    Args:
        channels: of the features.
        numbers: at each position.
        components: of the mixture.
    """

    def __init__(self, channels: int, numbers: int, components: int) -> None:
        super().__init__()
        self.sizes = [components * n for n in (1, numbers, numbers, numbers // 2)]
        self.components = components
        self.norm = nn.BatchNorm2d(channels)
        self.last = nn.Conv2d(channels, sum(self.sizes), 1)
        assert self.last.bias is not None
        with torch.no_grad():
            _, means, deviations, _ = self.last.bias.zero_().split(self.sizes)
            means.normal_(0, 0.5)
            deviations.fill_(LOG_DEVIATION)

    def forward(self, features: Tensor) -> Mixture:
        """(B, channels, h, w) -> the mixture, in float32."""
        output = self.last(F.relu(self.norm(features))).float()
        logits, *others = output.split(self.sizes, dim=1)
        means, deviations, slopes = (o.unflatten(1, (self.components, -1)) for o in others)
        return Mixture(logits, means, deviations.clamp(LEAST_LOG_DEVIATION, 3), slopes)
