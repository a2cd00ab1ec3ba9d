"""An experiment framework for automatic image colorization."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from colorizer.loaded import LoadedColorizer


def load(
    which: str | Path, *changes: str, trust: Iterable[str] = (), weights: str | None = None
) -> "LoadedColorizer":
    """A trained colorizer, in evaluation mode, on the CPU.

    It is called with gray images, float (B, 1, H, W) in [0, 1], and gives RGB, (B, 3, H, W) in
    [0, 1]; or with an array, or with an image of Pillow's, a photograph of any size (see
    `LoadedColorizer`). A stochastic one also has `sample(gray, k, generator)`.
    `colorizer.color.luma` makes the gray image of a colour image.

    Args:
        which: the name of one that comes with the package (`colorizer weights` lists them), or a
            file that `colorizer weights RUN -o FILE` wrote; or a run directory.
        *changes: other values for what is no weight, such as `model.saturation=1.3`.
        trust: packages, beside this one, whose networks a file may ask for.
        weights: None: a run has to be finished; `best` or `last`: an unfinished one is taken as it
            is, and a line that says so is logged.

    Raises:
        UserError: there is none of that name, or the file is cut short, no colorizer, or for
            another architecture or of a package that is not trusted; or a run that is not finished,
            or has no such weights.
    """
    from colorizer.errors import UserError
    from colorizer.loaded import loaded  # torch takes seconds to import
    from colorizer.photographs import resolution_of
    from colorizer.weights import Weights, open_trained

    if weights not in (None, "best", "last"):
        raise UserError(f"weights={weights!r}: best or last")
    trained = open_trained(which, weights)
    if isinstance(trained, Weights) and weights is None:
        made = trained.colorizer(trust=trust, changes=changes)
    else:
        from colorizer.runs import CHECKPOINTS  # with Lightning, which takes seconds to import

        made = trained.colorizer(CHECKPOINTS[weights or "best"], trust, changes)
    return loaded(made, resolution_of(trained))
