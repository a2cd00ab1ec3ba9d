"""A generative model that draws chroma from coarse to fine in one pass of a U-Net."""

import math
from collections.abc import Iterator, Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.haar import haar_join, haar_split
from colorizer.models.blocks import image_generators
from colorizer.models.detail_mixture import AVERAGES, DetailMixture
from colorizer.models.guide import Guide
from colorizer.models.mixture import MixtureHead
from colorizer.models.residual_unet import ResidualEncoder, decoder_level
from colorizer.ranges import Channels, NotNegative, Range, Share, Widths


class WaveletMixture(ResidualEncoder):
    """Draws chroma from its coarsest average to its finest details, going up a U-Net.

    Half of the doubt about an image's chroma is in its mean colour, two numbers. So the averages of
    the largest patches are drawn first, then the details that halve the patches, given the gray
    image and all that is coarser, and so on: Haar wavelets from coarse to fine, as Yu et al. 2020
    ("Wavelet Flow") do with flows, Royer et al. 2017 ("Probabilistic Image Colorization") and Kumar
    et al. 2021 ("Colorization Transformer") with autoregressive networks. The distribution at each
    step is a mixture of normal ones (Bishop 1994, "Mixture Density Networks"); details of a level
    are drawn in four phases. A level of the decoder sees what is coarser, and predicts the next
    details: so a training step is one pass, in which it sees the true chroma, and a draw is one
    pass with a few more layers at each phase, in which it sees its own.

    Args:
        out_channels: channels of the representation, 8: those of `HaarChroma`.
        widths: channels at 1/2, 1/4, ... resolution; the last is that of the first draw.
        blocks: residual blocks at each level of the encoder; the decoder has half as many, rounded
            up.
        components: of each mixture.
        temperature: of `forward`, a factor of those of samples: 0 is the best guess, and 1 a sample
            whose noise depends on the image alone.
        temperatures: of samples, see `Mixture.draw`: of the first averages, then of each level's
            details from coarse to fine; None: 1 for all, which draws from the density. One more
            than the widths.
        guide: a trained colorizer; given, the encoder sees its output, and what is drawn is added
            to it. None: there is none.
        dropout: of the residual blocks.

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
        temperatures: Sequence[NotNegative] | None = None,
        guide: Guide | None = None,
        dropout: Share = 0.0,
    ) -> None:
        state = out_channels if guide else 0
        super().__init__(widths, blocks, state_channels=state, dropout=dropout)
        if out_channels != 4 * AVERAGES:
            raise ValueError("model=wavelet_mixture draws representation=haar_chroma")
        if not 0 <= temperature < math.inf:
            raise ValueError(f"model.temperature={temperature}: at least 0")
        steps = 1 + len(self.encoder)
        self.temperatures = [1.0] * steps if temperatures is None else list(temperatures)
        if len(self.temperatures) != steps or not all(0 <= t < math.inf for t in self.temperatures):
            raise ValueError(
                f"model.temperatures={self.temperatures}: {steps} numbers, one more than "
                "model.widths has, none below 0"
            )
        self.temperature = temperature
        self.guide: Guide | None = guide
        if guide:
            self.multiple_of = math.lcm(self.multiple_of, guide.multiple_of)
        self.decoder = nn.ModuleList()
        self.details = nn.ModuleList()
        self.first = MixtureHead(self.num_features, AVERAGES, components)
        above = 0
        for width in reversed(list(widths)):
            seen = above + width + AVERAGES
            self.decoder.append(decoder_level(seen, width, blocks, dropout=dropout))
            self.details.append(DetailMixture(width, components, not above, dropout))
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
        added, skips = self._start(gray)
        if target is not None:
            output = self._surprise(skips, target if added is None else target - added)
        else:
            each = image_generators(gray) if self.temperature else []
            output = self._draw(skips, self.temperature, each)
            output = output if added is None else added + output
        return (output, skips[-1]) if with_features else output

    def forward_features(self, gray: Tensor) -> Tensor:  # type: ignore[override]
        """The coarsest features: (B, 1, H, W) -> (B, num_features, h, w)."""
        return self._start(gray)[1][-1]

    def learn_and_draw(self, gray: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What `forward` gives of the true output, and a sample that gradients go through.

        Shapes: (B, 1, H, W), (B, 8, H/2, W/2) -> (levels,), (B, 8, H/2, W/2); beside them the
        coarsest features.
        """
        added, skips = self._start(gray)
        levels = self._surprise(skips, target if added is None else target - added)
        drawn = self._draw(skips, 1.0, [])
        return levels, drawn if added is None else added + drawn, skips[-1]

    def sample(self, gray: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """(B, 1, H, W) -> (k, B, 8, H/2, W/2), at the temperatures of samples.

        Args:
            gray: the images.
            k: how many samples of each.
            generator: of the randomness, on the images' device.

        Raises:
            ValueError: k is less than 1, or H or W no multiple of `multiple_of`.
        """
        if k < 1:
            raise ValueError(f"k={k}: at least one sample")
        added, skips = self._start(gray)
        drawn = torch.stack([self._draw(skips, 1.0, [generator]) for _ in range(k)])
        return drawn if added is None else added + drawn

    def _start(self, gray: Tensor) -> tuple[Tensor | None, list[Tensor]]:
        """The guide's output, where there is a guide, and the encoder's features given it."""
        added = None if self.guide is None else self.guide(gray)
        return added, self._encode(gray, added)

    def _draw(
        self, skips: list[Tensor], temperature: float, generators: Sequence[torch.Generator]
    ) -> Tensor:
        first, *others = (temperature * each for each in self.temperatures)
        averages = self.first(skips[-1]).draw(first, generators, shared=True)
        features = details = None
        for (level, of_level, skip), warm in zip(self._levels(skips), others, strict=True):
            if details is not None:
                averages = haar_join(averages, details)
            features = self._decode(level, features, skip, averages)
            details = of_level.draw(features, warm, generators)
        assert details is not None
        return torch.cat((averages, details), dim=1)

    def _surprise(self, skips: list[Tensor], target: Tensor) -> Tensor:
        averages, details = target.split((AVERAGES, 3 * AVERAGES), dim=1)
        pyramid = [(averages, details)]
        for _ in self.decoder[:-1]:
            pyramid.insert(0, haar_split(pyramid[0][0]))
        coarsest = pyramid[0][0]
        found = [-self.first(skips[-1]).log_density(coarsest).mean() / AVERAGES]
        features = None
        levels = zip(self._levels(skips), pyramid, strict=True)
        for (level, of_level, skip), (averages, details) in levels:
            features = self._decode(level, features, skip, averages)
            found.append(of_level.surprise(features, details))
        return torch.stack(found)

    def _levels(self, skips: list[Tensor]) -> Iterator[tuple[nn.Module, DetailMixture, Tensor]]:
        """The levels of the decoder, what draws their details, and what the encoder gives them."""
        for level, details, skip in zip(self.decoder, self.details, reversed(skips), strict=True):
            assert isinstance(details, DetailMixture)
            yield level, details, skip

    @staticmethod
    def _decode(level: nn.Module, above: Tensor | None, skip: Tensor, averages: Tensor) -> Tensor:
        """The features of a level, given those of the level above and the averages so far."""
        seen = [skip, averages.to(skip)]
        if above is not None:
            seen.insert(0, F.interpolate(above, scale_factor=2.0, mode="nearest"))
        features: Tensor = level(torch.cat(seen, dim=1), None)
        return features

    def start_from_guide(self) -> None:
        """Give the encoder the weights of the guide's, which has the same finest levels.

        Raises:
            ValueError: there is no guide, or its encoder is another.
        """
        theirs = None if self.guide is None else self.guide.network
        if not isinstance(theirs, ResidualEncoder):
            raise ValueError("there is no guide with a residual encoder to start from")
        with torch.no_grad():
            own = self.stem.weight.zero_()
            own[:, : theirs.stem.in_channels] = theirs.stem.weight
            self.stem.load_state_dict({**theirs.stem.state_dict(), "weight": own})
            for mine, other in zip(self.encoder, theirs.encoder, strict=False):
                mine.load_state_dict(other.state_dict())
