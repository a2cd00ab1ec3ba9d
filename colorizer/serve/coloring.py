"""Colours a picture of the page, and writes what the page shows and gives back."""

import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from colorizer.colorizer import Colorizer
from colorizer.photographs import colorize_image

# The longer side of what the page shows, in pixels; what it gives back has the picture's own size.
SHOWN = 1280


@dataclass
class Picture:
    """An uploaded picture with a colorizer: its answers, written to files as they are asked for.

    Args:
        image: the picture.
        name: of its file.
        colorizer: in evaluation mode.
        title: of the colorizer, for names of files.
        saturation: factor of the chroma.
        folder: where the files go.
    """

    image: Image.Image
    name: str
    colorizer: Colorizer
    title: str
    saturation: float
    folder: Path

    def before(self) -> Path:
        """The gray picture, as it is shown."""
        return self._shown(self.image.convert("L"), "before")

    def answer(self, seed: int | None = None) -> tuple[Path, Path]:
        """The coloured picture: as it is shown (JPEG), and in its own size (PNG).

        Args:
            seed: of a draw; None: the best guess.

        Raises:
            UserError: see `colorize_image`.
        """
        title = _safe(self.title if seed is None else f"{self.title}-draw-{seed}")
        whole = self.folder / f"{_safe(Path(self.name).stem) or 'picture'}-{title}.png"
        shown = self.folder / f"{title}.jpg"
        if not whole.exists():
            coloured = self._coloured(seed)
            shown = self._shown(coloured, title)
            # The least compression: of large pictures it takes longer than the colours.
            coloured.save(whole, compress_level=1)
        return shown, whole

    def draw(self, seed: int) -> Path:
        """A draw, as it is shown."""
        return self._shown(self._coloured(seed), _safe(f"{self.title}-draw-{seed}"))

    def _coloured(self, seed: int | None) -> Image.Image:
        return colorize_image(
            self.colorizer, self.image, saturation=self.saturation, sample_seed=seed
        )

    def _shown(self, image: Image.Image, title: str) -> Path:
        path = self.folder / f"{title}.jpg"
        small = image.copy()
        small.thumbnail((SHOWN, SHOWN))
        small.save(path, quality=95)
        return path


def _safe(name: str) -> str:
    """A part of a file's name that no system takes for anything else."""
    return re.sub(r"[^\w.=-]+", "-", name)[:80].strip("-.")
