"""Example pictures of a run, epoch by epoch, as its training leaves them."""

import io
import re
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from colorizer.pictures import Examples, row_of_picture
from colorizer.runs import Run

# As ExamplePictures names them.
NAME = re.compile(r"val_epoch_(\d+)\.png")

# Rows of a page, the first and the last among them.
MOST = 16


class Strip(NamedTuple):
    """A row of a picture.

    Args:
        label: of the row.
        name: of the file.
        row: one of gray, predicted and true.
        changed: when, in nanoseconds: an address that is kept has to change with the file.
    """

    label: str
    name: str
    row: str
    changed: int


def pictures_of(run: Run) -> list[tuple[int, str, int]]:
    """Epoch, name and time of each picture of validation images, in order."""
    found = {}
    try:
        for path in (run.folder / "examples").iterdir():
            if match := NAME.fullmatch(path.name):
                found[int(match[1])] = (path.name, path.stat().st_mtime_ns)
    except OSError:  # none yet, or gone
        pass
    return [(epoch, *found[epoch]) for epoch in sorted(found)]


def strips(run: Run, most: int = MOST) -> list[Strip]:
    """Gray, what is predicted after each epoch, and true; of many epochs some, evenly."""
    found = pictures_of(run)
    if not found:
        return []
    last = len(found) - 1
    places = sorted({round(n * last / (most - 1)) for n in range(most)}) if last else [0]
    _, name, changed = found[-1]
    return [
        Strip("gray", name, "gray", changed),
        *(Strip(f"epoch {found[n][0]}", found[n][1], "predicted", found[n][2]) for n in places),
        Strip("true", name, "true", changed),
    ]


def newest(run: Run) -> Strip | None:
    """What is predicted after the last epoch that left a picture; None where there is none."""
    found = pictures_of(run)
    if not found:
        return None
    epoch, name, changed = found[-1]
    return Strip(f"epoch {epoch}", name, "predicted", changed)


def read_strip(folder: Path, name: str, row: str) -> bytes | None:
    """A row of a picture as PNG; None where there is no such picture, or it is not whole.

    Args:
        folder: of a run.
        name: of the picture.
        row: gray, predicted or true.
    """
    if not NAME.fullmatch(name) or row not in Examples._fields:
        return None
    try:
        with Image.open(folder / "examples" / name) as picture:
            strip = row_of_picture(picture, Examples._fields, row)
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return None
    file = io.BytesIO()
    strip.save(file, "PNG")
    return file.getvalue()
