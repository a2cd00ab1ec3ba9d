"""Colours a picture of the page, and writes what the page shows and gives back."""

import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from colorizer.colorizer import Colorizer
from colorizer.photographs import colorize_image
from colorizer.photographs.pictures import Photograph

# The longer side of what the page shows, in pixels; what it gives back has the picture's own size.
SHOWN = 1280


@dataclass
class Picture:
    """An uploaded picture with a colorizer. Answers are its best guess (None), or draws by seed.

    Args:
        photograph: the picture.
        name: of its file.
        colorizer: in evaluation mode.
        title: of the colorizer, for names of files.
        saturation: factor of the chroma.
        folder: where the files go.
    """

    photograph: Photograph
    name: str
    colorizer: Colorizer
    title: str
    saturation: float
    folder: Path

    def answer(self, seed: int | None = None) -> Image.Image:
        """The picture in colour, of its own size.

        Raises:
            UserError: see `colorize_image`.
        """
        return colorize_image(
            self.colorizer, self.photograph.gray, saturation=self.saturation, sample_seed=seed
        )

    def show_before(self) -> Path:
        """Write the gray picture as it is shown, a JPEG file."""
        return self._show(self.photograph.gray, "before")

    def show(self, answer: Image.Image, seed: int | None = None) -> Path:
        """Write an answer as it is shown, a JPEG file."""
        return self._show(answer, self._title(seed))

    def write(self, answer: Image.Image, seed: int | None = None) -> Path:
        """Write an answer in its own size, a PNG file with the metadata of the picture."""
        stem = _safe(Path(self.name).stem) or "picture"
        path = self.folder / f"{stem}-{self._title(seed)}.png"
        self.photograph.write(answer, path, "PNG")
        return path

    def _title(self, seed: int | None) -> str:
        return _safe(self.title if seed is None else f"{self.title}-draw-{seed + 1}")

    def _show(self, image: Image.Image, title: str) -> Path:
        path = self.folder / f"{title}.jpg"
        small = image.copy()
        small.thumbnail((SHOWN, SHOWN))
        small.save(path, quality=95)
        return path


def _safe(name: str) -> str:
    """A part of a file's name that no system takes for anything else."""
    return re.sub(r"[^\w.=-]+", "-", name)[:80].strip("-.")
