"""The details of one level of wavelets, drawn from a mixture of normal distributions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from colorizer.models.blocks import ResidualBlock
from colorizer.models.mixture import Mixture, MixtureHead

# Channels of the averages: Cb and Cr. Details are three times as many.
AVERAGES = 2


class DetailMixture(nn.Module):
    """Draws the details of one level, in four phases, each given those before.

    Of each 2x2 patch of positions the first phase has one, the second the one across, and the last
    two see neighbours on all sides, as in Menick and Kalchbrenner 2019 ("Generating High Fidelity
    Images with Subscale Pixel Networks"). So what can have any colour gets one, not patches of
    several.

    Args:
        channels: of the features.
        components: of the mixture.
        at_once: for the coarsest level, which has one position in images of the size that it is
            trained on: no phases, and the positions of a larger image share their randomness.
        dropout: of the residual block.
    """

    numbers = 3 * AVERAGES

    def __init__(
        self, channels: int, components: int, at_once: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.at_once = at_once
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
            drawn = mixture.draw(temperature, generators, shared=self.at_once)
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
        if self.at_once:
            return torch.zeros_like(features[0, 0], dtype=torch.int64), 1
        row, column = (
            torch.arange(size, device=features.device) % 2 for size in features.shape[-2:]
        )
        return 2 * column + row[:, None] * (3 - 4 * column), 4
