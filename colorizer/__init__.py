"""An experiment framework for automatic image colorization."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from colorizer.loaded import LoadedColorizer


def load(which: str | Path, *changes: str, trust: Iterable[str] = ()) -> "LoadedColorizer":
    """A trained colorizer, in evaluation mode, on the CPU.

    It is called with gray images, float (B, 1, H, W) in [0, 1], and gives RGB, (B, 3, H, W) in
    [0, 1]; or with an array, or with an image of Pillow's (see `LoadedColorizer`). A stochastic one
    also has `sample(gray, k, generator)`. `colorizer.color.luma` makes the gray image of a colour
    image.

    Args:
        which: the name of one that comes with the package (`colorizer weights` lists them), or a
            file that `colorizer weights RUN -o FILE` wrote.
        *changes: other values for what is no weight, such as `model.saturation=1.3`.
        trust: packages, beside this one, whose networks a file may ask for.

    Raises:
        UserError: there is none of that name, or the file is cut short, no colorizer, or for
            another architecture or of a package that is not trusted.
    """
    from colorizer.loaded import loaded  # torch takes seconds to import
    from colorizer.weights import Weights

    return loaded(Weights(which).colorizer(trust=trust, changes=changes))
