"""Readings of an output: as it is, and with the input's luminance put back."""

from collections.abc import Callable

import torch
from torch import Tensor

from colorizer.color import chroma_to_rgb, rgb_to_chroma, rgb_to_lab, round_to_8_bits

# Images whose mean chroma is below this have hardly any colour to predict; 9 % of CIFAR-10's.
CHROMATIC = 5.0


def raw(prediction: Tensor, gray: Tensor) -> Tensor:
    """The output itself."""
    return prediction


def luminance_put_back(prediction: Tensor, gray: Tensor) -> Tensor:
    """The output's chroma at the input's luminance, rounded to 8 bits.

    Shapes: RGB (B, 3, H, W) and gray (B, 1, H, W) in [0, 1] -> RGB (B, 3, H, W) in [0, 1].
    """
    return round_to_8_bits(chroma_to_rgb(gray, rgb_to_chroma(prediction)))


READINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "raw": raw,
    "luminance": luminance_put_back,
}

TITLES = {
    ("raw", "all"): "all images, output as it is",
    ("luminance", "all"): "all images, input's luminance put back",
    ("raw", "chromatic"): "chromatic images, output as it is",
    ("luminance", "chromatic"): "chromatic images, input's luminance put back",
    ("raw", "no_twins"): "without images that have a near-duplicate in training, output as it is",
}


def chroma(lab: Tensor) -> Tensor:
    """C* = sqrt(a*² + b*²): (B, 3, H, W) -> (B, H, W)."""
    return torch.hypot(lab[:, 1], lab[:, 2])


def is_chromatic(rgb: Tensor) -> Tensor:
    """Find images with colour, a mean C* of at least 5: (B, 3, H, W) in [0, 1] -> bool (B,)."""
    return chroma(rgb_to_lab(rgb)).flatten(1).mean(1) >= CHROMATIC
