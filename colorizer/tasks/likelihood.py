"""Maximum likelihood: how a model with a density of chroma is trained."""

from typing import Any

import torch
from torch import Tensor

from colorizer.colorizer import Colorizer
from colorizer.data import Batch
from colorizer.models import WaveletMixture
from colorizer.tasks.base import Losses
from colorizer.tasks.guided import GuidedTask

# Between two of the 256 values of a colour, in [0, 1].
STEP = 1 / 255


class Likelihood(GuidedTask):
    """Negative logarithm of the density of the true chroma, given the gray image.

    The mean over the numbers of each level, and over the levels: otherwise three quarters of the
    loss would be about the finest details. Colours of 8 bits get uniform noise as wide as a step
    between them, or the density would grow without bounds at the values that there are (Theis et
    al. 2016, "A note on the evaluation of generative models").

    Args:
        colorizer: with a `WaveletMixture` as its network, and `HaarChroma` as its representation.
        start_from_guide: start with the guide's weights in the encoder.
        **kwargs: see `GuidedTask`.

    Raises:
        ValueError: another network; or see `GuidedTask`.
    """

    objective = "nll"

    def __init__(self, colorizer: Colorizer, start_from_guide: bool = False, **kwargs: Any) -> None:
        if not isinstance(colorizer.network, WaveletMixture):
            name = type(colorizer.network).__name__
            raise ValueError(f"{name} has no density of chroma: model=wavelet_mixture")
        super().__init__(colorizer=colorizer, **kwargs)
        if start_from_guide:
            colorizer.network.start_from_guide()

    def losses(self, batch: Batch) -> Losses:
        """The mean over the levels."""
        return self._losses(batch, None)

    def validated(self, batch: Batch, batch_idx: int) -> Tensor:
        """The same, with noise that depends on the number of the batch and on its size alone."""
        return self._losses(batch, torch.Generator().manual_seed(batch_idx)).total

    def true_output(self, batch: Batch, generator: torch.Generator | None = None) -> Tensor:
        """The raw output that is right, with noise between the values of 8 bits."""
        place = batch.rgb.device if generator is None else generator.device
        noise = torch.rand(batch.rgb.shape, generator=generator, device=place) - 0.5
        return self.colorizer.representation.encode(batch.rgb + STEP * noise.to(batch.rgb))

    def _losses(self, batch: Batch, generator: torch.Generator | None) -> Losses:
        levels, features = self.call_network(batch.gray, self.true_output(batch, generator))
        loss = levels.mean()
        return Losses(loss, {self.objective: loss}, features)
