"""A generative model that draws chroma from coarse to fine in one pass of a U-Net."""

import math
from collections.abc import Callable, Generator, Sequence
from typing import Annotated, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.haar import haar_join, haar_split
from colorizer.models.blocks import image_generators
from colorizer.models.residual_unet import ResidualEncoder, decoder_level
from colorizer.ranges import Channels, NotNegative, Range, Widths

# Channels of the averages: Cb and Cr. Details are three times as many.
AVERAGES = 2

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

    def draw(self, temperature: float, generators: Sequence[torch.Generator] = ()) -> Tensor:
        """One draw at each position, (B, D, h, w).

        Args:
            temperature: 1: a sample; less: components that are likely more often, and less spread;
                0: the mean of the likeliest component.
            generators: of the randomness of all images, or of each; not needed at temperature 0.
        """
        if temperature == 0:
            return _of(self.means, self.logits.argmax(1))
        uniform = _random(torch.rand, self.logits, generators)
        normal = _random(torch.randn, self.means[:, 0], generators)
        gumbel = -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
        chosen = (self.logits / temperature + gumbel).argmax(1)
        apart = temperature * _of(self.log_deviations, chosen).exp() * normal
        first = apart[:, 0::2]
        second = apart[:, 1::2] + _of(self.slopes, chosen) * first
        return _of(self.means, chosen) + torch.stack((first, second), dim=2).flatten(1, 2)


def _random(
    make: Callable[..., Tensor], like: Tensor, generators: Sequence[torch.Generator]
) -> Tensor:
    """Random numbers as many as others."""
    if len(generators) == 1:
        (one,) = generators
        return make(like.shape, generator=one, device=one.device).to(like)
    each = [make(like.shape[1:], generator=one, device=one.device) for one in generators]
    return torch.stack(each).to(like)


def _of(values: Tensor, component: Tensor) -> Tensor:
    """The values of a component: (B, K, D, h, w), (B, h, w) -> (B, D, h, w)."""
    index = component[:, None, None].expand(-1, -1, *values.shape[2:])
    return values.gather(1, index)[:, 0]


class _Head(nn.Module):
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


class WaveletMixture(ResidualEncoder):
    """Draws chroma from its coarsest average to its finest details, in one pass of a U-Net.

    Half of the doubt about an image's chroma is in its mean colour, two numbers. So the averages of
    the largest patches are drawn first, then the details that halve the patches, given the gray
    image and all that is coarser, and so on: Haar wavelets from coarse to fine, as Yu et al. 2020
    ("Wavelet Flow") do with flows, Royer et al. 2017 ("Probabilistic Image Colorization") and Kumar
    et al. 2021 ("Colorization Transformer") with autoregressive networks. The distribution at each
    step is a mixture of normal ones (Bishop 1994, "Mixture Density Networks"), and details of one
    step are independent of each other. A level of the decoder sees what is coarser, and predicts
    the next details: so a training step is one pass, in which it sees the true chroma, and a draw
    is one pass, in which it sees its own.

    Args:
        out_channels: channels of the representation, 8: those of `HaarChroma`.
        widths: channels at 1/2, 1/4, ... resolution; the last is that of the first draw.
        blocks: residual blocks at each level of the encoder; the decoder has half as many, rounded
            up.
        components: of each mixture.
        temperature: of `forward`, see `Mixture.draw`; its noise depends on the image alone.

    Raises:
        ValueError: another representation, a temperature out of range, or see `ResidualEncoder`.
    """

    def __init__(
        self,
        out_channels: Channels,
        widths: Widths,
        blocks: Annotated[int, Range(1, 100)],
        components: Annotated[int, Range(1, 1000)],
        temperature: NotNegative,
    ) -> None:
        super().__init__(widths, blocks)
        if out_channels != 4 * AVERAGES:
            raise ValueError("model=wavelet_mixture draws representation=haar_chroma")
        if not 0 <= temperature < math.inf:
            raise ValueError(f"model.temperature={temperature}: at least 0")
        self.temperature = temperature
        self.decoder = nn.ModuleList()
        self.heads = nn.ModuleList([_Head(self.num_features, AVERAGES, components)])
        above = 0
        for width in reversed(list(widths)):
            self.decoder.append(decoder_level(above + width + AVERAGES, width, blocks))
            self.heads.append(_Head(width, 3 * AVERAGES, components))
            above = width

    def forward(
        self, gray: Tensor, target: Tensor | None = None, with_features: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        """(B, 1, H, W) in [0, 1] -> (B, 8, H/2, W/2), at the model's temperature.

        Args:
            gray: the images.
            target: the true raw output; given, the result is (levels,), the mean negative
                log-likelihood of a number of the averages and the details, from coarse to fine.
            with_features: give the coarsest features, too.

        Raises:
            ValueError: H or W is no multiple of `multiple_of`.
        """
        skips = self._encode(gray)
        if target is None:
            each = image_generators(gray) if self.temperature else []
            output = self._draw(skips, self.temperature, each)
        else:
            output = self._surprise(skips, target)
        return (output, skips[-1]) if with_features else output

    def sample(self, gray: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """(B, 1, H, W) -> (k, B, 8, H/2, W/2), at temperature 1.

        Args:
            gray: the images.
            k: how many samples of each.
            generator: of the randomness, on the images' device.

        Raises:
            ValueError: k is less than 1, or H or W no multiple of `multiple_of`.
        """
        if k < 1:
            raise ValueError(f"k={k}: at least one sample")
        skips = self._encode(gray)
        return torch.stack([self._draw(skips, 1.0, [generator]) for _ in range(k)])

    def _mixtures(self, skips: list[Tensor]) -> Generator[Mixture, Tensor, None]:
        """The mixtures from coarse to fine; after each, the averages so far have to be sent."""
        averages = yield self.heads[0](skips[-1])
        features: Tensor | None = None
        for level, head, skip in zip(self.decoder, self.heads[1:], reversed(skips), strict=True):
            seen = [skip, averages.to(skip)]
            if features is not None:
                seen.insert(0, F.interpolate(features, scale_factor=2.0, mode="nearest"))
            features = level(torch.cat(seen, dim=1), None)
            averages = yield head(features)

    def _draw(
        self, skips: list[Tensor], temperature: float, generators: Sequence[torch.Generator]
    ) -> Tensor:
        mixtures = self._mixtures(skips)
        averages = next(mixtures).draw(temperature, generators)
        for _ in self.decoder[:-1]:
            details = mixtures.send(averages).draw(temperature, generators)
            averages = haar_join(averages, details)
        details = mixtures.send(averages).draw(temperature, generators)
        return torch.cat((averages, details), dim=1)

    def _surprise(self, skips: list[Tensor], target: Tensor) -> Tensor:
        averages, details = target.split((AVERAGES, 3 * AVERAGES), dim=1)
        pyramid = [(averages, details)]
        for _ in self.decoder[:-1]:
            pyramid.append(haar_split(pyramid[-1][0]))
        mixtures = self._mixtures(skips)
        coarsest = pyramid[-1][0]
        found = [-next(mixtures).log_density(coarsest).mean() / AVERAGES]
        for averages, details in reversed(pyramid):
            found.append(-mixtures.send(averages).log_density(details).mean() / (3 * AVERAGES))
        return torch.stack(found)
