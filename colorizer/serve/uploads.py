"""Pictures that people drop on the page: read within limits, or refused in a line."""

import warnings
from pathlib import Path

from PIL import Image

from colorizer.errors import UserError
from colorizer.photographs.pictures import OPENED, Photograph, read_photograph

# Bytes of a file, and pixels of its picture. A telephone's have 12 to 50 million.
MOST_BYTES, MOST_PIXELS = 30 * 2**20, 50_000_000


def read_picture(path: Path) -> Photograph:
    """A picture as gray and upright; see `read_photograph`.

    Raises:
        UserError: the file is too large, stands for more pixels than the page takes (a
            decompression bomb), is damaged, or is no picture of these formats.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UserError(
            f"The file has {size / 2**20:.1f} MB; the page takes up to {MOST_BYTES / 2**20:.0f} MB."
        )
    _check_pixels(path)
    try:
        return read_photograph(path)
    except UserError as error:
        raise UserError(f"The picture cannot be read: {error}.") from error


def _check_pixels(path: Path) -> None:
    """Raise UserError for too many, as the file's first bytes say it; nothing is unpacked."""
    most = f"The page takes pictures of up to {MOST_PIXELS / 1e6:.0f} megapixels"
    with warnings.catch_warnings():
        # What it warns of is refused here.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(path, formats=OPENED) as image:
                width, height = image.size
        except Image.DecompressionBombError as error:
            raise UserError(f"{most}, and this one has far more than that.") from error
        except Exception:  # what is no picture, `read_photograph` says
            return
    if width * height > MOST_PIXELS:
        found = f"{width} x {height}, {width * height / 1e6:.0f} megapixels"
        raise UserError(f"{most}, and this one has {found}.")
