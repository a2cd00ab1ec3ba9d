"""The details of one level of wavelets, drawn from a mixture of normal distributions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from colorizer.models.blocks import ResidualBlock
from colorizer.models.mixture import Mixture, MixtureHead

# Channels of the averages: Cb and Cr. Details are three times as many.
AVERAGES = 2


class DetailMixture(nn.Module):
    """Draws the details of one level in phases, each given those before.

    Of each patch of positions each phase has one: of 2x2 the first, then the one across, and the
    last two see neighbours on all sides, as in Menick and Kalchbrenner 2019 ("Generating High
    Fidelity Images with Subscale Pixel Networks"). So what can have any colour gets one, and is not
    of several colours. In a patch of 4x4 each of these four phases is four, in the same order.

    Args:
        channels: of the features.
        components: of the mixture.
        patch: side of a patch, a power of two. 1 is for the coarsest level, which has one position
            in images of the size that it is trained on: no phases, and the positions of a larger
            image share their randomness.
        dropout: of the residual block.

    Raises:
        ValueError: a patch of another size.
    """

    numbers = 3 * AVERAGES

    def __init__(
        self, channels: int, components: int, patch: int = 2, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if patch < 1 or patch & (patch - 1):
            raise ValueError(f"patch={patch}: a power of two")
        self.patch = patch
        self.block = ResidualBlock(channels + self.numbers + 1, channels, dropout=dropout)
        self.head = MixtureHead(channels, self.numbers, components)

    def forward(self, features: Tensor, details: Tensor, known: Tensor) -> Mixture:
        """The mixtures at all positions, given the details where known: (B or 1, 1, h, w)."""
        known = known.to(features).expand(len(features), -1, -1, -1)
        seen = torch.cat((features, details * known, known), dim=1)
        found: Mixture = self.head(self.block(seen))
        return found

    def draw(
        self, features: Tensor, temperature: float, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """(B, channels, h, w) -> (B, 6, h, w)."""
        phase, phases = self._phases(features)
        details = features.new_zeros(len(features), self.numbers, *phase.shape, dtype=torch.float)
        for now in range(phases):
            mixture = self(features, details.to(features), phase[None, None] < now)
            drawn = mixture.draw(temperature, generators, shared=self.patch == 1)
            details = torch.where(phase == now, drawn, details)
        return details

    def surprise(self, features: Tensor, details: Tensor) -> Tensor:
        """The mean negative log-likelihood of a number: (B, channels, h, w), (B, 6, h, w) -> ().

        In training an estimate: at a random phase of each image, of all that are not drawn before
        it, as in order-agnostic autoregressive models (Hoogeboom et al. 2022).
        """
        phase, phases = self._phases(features)
        if self.training:
            now = torch.randint(phases, (len(features), 1, 1), device=features.device)
            now = now.minimum(phase.max())  # images smaller than a patch have not all phases
            density = self(features, details.to(features), (phase < now)[:, None])
            chosen = phase >= now
            return -density.log_density(details)[chosen].mean() / self.numbers
        found = torch.zeros_like(details[:, 0])
        for step in range(phases):
            mixture = self(features, details.to(features), phase[None, None] < step)
            found = torch.where(phase == step, mixture.log_density(details), found)
        return -found.mean() / self.numbers

    def _phases(self, features: Tensor) -> tuple[Tensor, int]:
        """The phase of each position, (h, w), and how many there are."""
        rows, columns = (torch.arange(size, device=features.device) for size in features.shape[-2:])
        phase = torch.zeros_like(features[0, 0], dtype=torch.int64)
        side = 1
        while side < self.patch:
            row, column = rows[:, None] // side % 2, columns // side % 2
            phase = 4 * phase + 2 * column + row * (3 - 4 * column)
            side *= 2
        return phase, self.patch**2
