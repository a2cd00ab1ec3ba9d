"""Many photographs, one after another."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from PIL import Image

from colorizer.colorizer import Colorizer
from colorizer.errors import DISK_FULL, UserError, first_line
from colorizer.photographs.coloring import colorize_image
from colorizer.photographs.pictures import Photograph, beside, read_photograph


@dataclass(frozen=True)
class Request:
    """What is made of each photograph.

    Args:
        resolution, saturation: see `colorize_image`.
        samples: draws of each; None: the best guess.
        seed: of the first draw; those that follow have the numbers that follow.
        compare: whether gray and colours go side by side into one picture.
        overwrite: whether what is there is made again.
        format: of the files; None: each its own.
    """

    resolution: int | None = None
    saturation: float = 1.0
    samples: int | None = None
    seed: int = 0
    compare: bool = False
    overwrite: bool = False
    format: str | None = None

    @property
    def seeds(self) -> list[int | None]:
        """For `colorize_image`, one for each picture that is made."""
        if self.samples is None:
            return [None]
        return list(range(self.seed, self.seed + self.samples))

    def files(self, output: Path) -> list[Path]:
        """The files that a photograph becomes: `x-1.jpg`, `x-2.jpg`, … where it has samples."""
        if self.samples is None or self.compare:
            return [output]
        names = [f"{output.stem}-{number}{output.suffix}" for number in range(1, self.samples + 1)]
        return [output.with_name(name) for name in names]


@dataclass(frozen=True)
class Done:
    """What became of a photograph.

    Args:
        outcome: `coloured`; `there`, which it was before; or `failed`.
        in_colour: whether it was, and was made gray.
        deep: whether it had 16 bits a channel.
        message: why it failed.
    """

    outcome: Literal["coloured", "there", "failed"]
    in_colour: bool = False
    deep: bool = False
    message: str = ""


def colorize_file(colorizer: Colorizer, source: Path, output: Path, request: Request) -> Done:
    """Colour a photograph and write it; a mistake of the file's is told, not raised.

    Raises:
        OSError: the disk is full.
    """
    files = request.files(output)
    if not request.overwrite and all(file.is_file() for file in files):
        return Done("there")
    try:
        photograph = read_photograph(source)
        output.parent.mkdir(parents=True, exist_ok=True)
        pictures = _pictures(colorizer, photograph, request)
        if request.compare:
            before = (gray.convert("RGB") for gray in [photograph.gray])
            pictures = iter([beside(chain(before, pictures), 1 + len(request.seeds))])
        for file, picture in zip(files, pictures, strict=True):
            photograph.write(picture, file, request.format)
    except UserError as error:
        return Done("failed", message=str(error))
    except MemoryError:
        return Done("failed", message="it is too large for the memory")
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        return Done("failed", message=f"cannot write {output}: {first_line(error)}")
    return Done("coloured", photograph.in_colour, photograph.deep)


def _pictures(
    colorizer: Colorizer, photograph: Photograph, request: Request
) -> Iterator[Image.Image]:
    for seed in request.seeds:
        yield colorize_image(
            colorizer,
            photograph.gray,
            resolution=request.resolution,
            saturation=request.saturation,
            sample_seed=seed,
        )
