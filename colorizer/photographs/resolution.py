"""At which resolution a network sees a photograph."""

from typing import Any, Protocol

from omegaconf import DictConfig, OmegaConf

from colorizer.errors import UserError, shown

# The shorter side in pixels, for networks that were trained on 32x32 images. Measured on the five
# photographs of natural colour that scikit-image ships, as the mean change of ΔE00 against the gray
# image; experiments/photographs/resolution.md has more.
#
# | shorter side     |    24 |    32 |    48 |    64 |    80 |    96 |   128 |   192 |   256 |
# | ---------------- | ----: | ----: | ----: | ----: | ----: | ----: | ----: | ----: | ----: |
# | cifar10-faithful | -2.41 | -3.20 | -3.44 | -3.09 | -2.44 | -2.21 | -1.16 | +0.69 | +1.78 |
# | cifar10-vivid@1  | -0.71 | -0.92 | -1.00 | -0.80 | -0.17 | -0.13 | +1.07 | +3.63 | +5.54 |
#
# At 48 and 64, `cifar10-faithful` is nearer to the truth than gray on each of the five.
WORKING_RESOLUTION = 48

LEAST, MOST = 8, 1024
"""The range of working resolutions, in pixels."""

# Of a long picture, in squares of the working resolution; its shorter side gets fewer pixels then.
LONGEST = 16


class Trained(Protocol):
    """A run, or a file of weights."""

    config: DictConfig


def resolution_of(trained: Trained) -> int:
    """The working resolution of a trained colorizer: the shorter side in pixels.

    A file of weights can say it in its card, as `working_resolution`. Else it is the size of the
    images that the network was trained on, but not less than `WORKING_RESOLUTION`.

    Raises:
        UserError: the card says what cannot be.
    """
    card: dict[str, Any] = getattr(trained, "card", {})
    if "working_resolution" in card:
        own = card["working_resolution"]
        if type(own) is not int or not LEAST <= own <= MOST:
            raise UserError(
                f"the card has working_resolution={shown(own)}: pixels, from {LEAST} to {MOST}"
            )
        return own
    size = OmegaConf.select(trained.config, "data.image_size")
    return min(max(size, WORKING_RESOLUTION), MOST) if type(size) is int else WORKING_RESOLUTION


def working_size(size: tuple[int, int], resolution: int) -> tuple[int, int]:
    """Width and height at which a network sees a picture; none is enlarged.

    Args:
        size: the picture's width and height.
        resolution: of the shorter side, in pixels.
    """
    width, height = size
    whole = (LONGEST * resolution**2 / (width * height)) ** 0.5
    scale = min(1.0, resolution / min(size), whole)
    return max(1, round(scale * width)), max(1, round(scale * height))
