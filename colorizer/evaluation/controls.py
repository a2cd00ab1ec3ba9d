"""Controls: colorizers with nothing but their saturation changed.

What a control reaches, a claim of more believable colour has to exceed: the rest is saturation.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from colorizer.color import chroma_to_rgb, luma, rgb_to_chroma
from colorizer.data import ColorizationData
from colorizer.evaluation.images import batches

# Chroma is multiplied by these.
FACTORS = (1.3, 1.5, 1.7)

# No image gets more than so many times its chroma; those with hardly any would.
MOST_GAIN = 5.0


class Saturated(nn.Module):
    """A colorizer whose chroma is multiplied, at its luminance.

    Args:
        colorizer: gray (B, 1, H, W) -> RGB (B, 3, H, W), both in [0, 1].
        gain: makes a gain (B,) of the images' strengths (B,), see `strength`.
    """

    def __init__(self, colorizer: nn.Module, gain: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.colorizer, self.gain = colorizer, gain

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [0, 1]."""
        rgb = self.colorizer(gray)
        chroma = rgb_to_chroma(rgb)
        gain = self.gain(strength(chroma)).view(-1, 1, 1, 1)
        return chroma_to_rgb(luma(rgb), gain * chroma).clamp(0, 1)


class SameGain:
    """The same gain for every image.

    Args:
        factor: the gain.
    """

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, predicted: Tensor) -> Tensor:
        """Strengths (B,) -> gains (B,)."""
        return torch.full_like(predicted, self.factor)


class MatchedGain:
    """A gain for each image, by which the strengths of a split's images are as true ones.

    An image that is at a quantile of the predicted strengths gets the true strength at that
    quantile, whatever it shows.

    Args:
        predicted: strengths of a colorizer's images, (N,).
        true: of the true images, (N,).
    """

    def __init__(self, predicted: Tensor, true: Tensor) -> None:
        self.predicted, self.true = predicted.sort().values, true.sort().values

    def __call__(self, predicted: Tensor) -> Tensor:
        """Strengths (B,) -> gains (B,), at most `MOST_GAIN`."""
        ranks = torch.searchsorted(self.predicted.to(predicted.device), predicted.contiguous())
        wanted = self.true.to(predicted.device)[ranks.clamp(max=len(self.true) - 1)]
        return (wanted / predicted.clamp(min=1e-6)).clamp(max=MOST_GAIN)


def strength(chroma: Tensor) -> Tensor:
    """Root mean square of an image's chroma: (B, 2, H, W) -> (B,)."""
    return chroma.square().flatten(1).mean(1).sqrt()


@torch.inference_mode()
def fitted_gain(
    colorizer: nn.Module, data: ColorizationData, device: torch.device, title: str
) -> MatchedGain:
    """Fit `MatchedGain` on the validation images."""
    found = [
        (strength(rgb_to_chroma(colorizer(batch.gray))), strength(rgb_to_chroma(batch.rgb)))
        for batch in batches(data, "val", device, f"{title}: its gain")
    ]
    predicted, true = (torch.cat(parts) for parts in zip(*found, strict=True))
    return MatchedGain(predicted, true)


def controls(
    colorizer: nn.Module, data: ColorizationData, device: torch.device, title: str
) -> Iterator[tuple[str, nn.Module]]:
    """Yield the controls of a colorizer by their titles."""
    for factor in FACTORS:
        yield f"{title} × {factor}", Saturated(colorizer, SameGain(factor))
    gain = fitted_gain(colorizer.to(device), data, device, title)
    yield f"{title} × gain fitted", Saturated(colorizer, gain)
