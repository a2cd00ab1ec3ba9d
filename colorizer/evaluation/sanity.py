"""Real images with one thing wrong each: what every number of the protocol can see."""

from collections.abc import Callable

from kornia.filters import gaussian_blur2d
from torch import Tensor

from colorizer.color import chroma_to_rgb, luma, rgb_to_chroma
from colorizer.evaluation.ceilings import real
from colorizer.runs import REAL

# Of the cast, in Cb and Cr in [-0.5, 0.5]: towards orange.
CAST = (-0.06, 0.06)

# Standard deviation, in pixels, and size of the window of the blur.
BLUR, WINDOW = 2.0, 13


def gray(rgb: Tensor) -> Tensor:
    """No colour at all."""
    return luma(rgb).expand_as(rgb)


def other_images_colours(rgb: Tensor) -> Tensor:
    """The chroma of the image before: the right colours, in the wrong places."""
    return _with_chroma(rgb, rgb_to_chroma(rgb).roll(1, 0))


def cast(rgb: Tensor) -> Tensor:
    """The same colour added everywhere."""
    return _with_chroma(rgb, rgb_to_chroma(rgb) + rgb.new_tensor(CAST).view(2, 1, 1))


def half_saturated(rgb: Tensor) -> Tensor:
    """Half the chroma."""
    return _with_chroma(rgb, rgb_to_chroma(rgb) / 2)


def blurred_chroma(rgb: Tensor) -> Tensor:
    """Colours that run over the edges."""
    blurred = gaussian_blur2d(rgb_to_chroma(rgb), (WINDOW, WINDOW), (BLUR, BLUR))
    return _with_chroma(rgb, blurred)


ALTERATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gray": gray,
    "colours of another image": other_images_colours,
    "colour cast": cast,
    "half saturated": half_saturated,
    "chroma blurred": blurred_chroma,
    REAL: real,
}


def _with_chroma(rgb: Tensor, chroma: Tensor) -> Tensor:
    return chroma_to_rgb(luma(rgb), chroma).clamp(0, 1)
