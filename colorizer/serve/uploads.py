"""Pictures that people drop on the page: read within limits, or refused in a line."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from colorizer.errors import UserError

# Bytes of a file, and pixels of its picture. A telephone's have 12 to 50 million.
MOST_BYTES, MOST_PIXELS = 30 * 2**20, 50_000_000

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")


def read_picture(path: Path) -> Image.Image:
    """A picture as the camera was held, in mode L or RGB; the first of several in a file.

    Raises:
        UserError: the file is too large, no picture of these formats, damaged, or stands for more
            pixels than the page takes (a decompression bomb).
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UserError(
            f"The file has {size / 2**20:.1f} MB; the page takes up to {MOST_BYTES / 2**20:.0f} MB."
        )
    with warnings.catch_warnings():
        # What it warns of is refused below.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(path, formats=FORMATS) as image:
                _check_pixels(image)
                image.load()
                return _plain(ImageOps.exif_transpose(image))
        except UserError:
            raise
        except Image.DecompressionBombError as error:
            raise UserError(_too_many("far more than that")) from error
        except Image.UnidentifiedImageError as error:
            known = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
            raise UserError(f"That is no picture, or not one of {known}.") from error
        except Exception as error:  # damaged files raise errors of every kind
            raise UserError(
                "The picture cannot be read: the file is damaged or cut short."
            ) from error


def _check_pixels(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise UserError(_too_many(f"{width} x {height}, {width * height / 1e6:.0f} megapixels"))


def _too_many(found: str) -> str:
    return (
        f"The page takes pictures of up to {MOST_PIXELS / 1e6:.0f} megapixels, and this one has "
        f"{found}."
    )


def _plain(image: Image.Image) -> Image.Image:
    """Mode L or RGB, 8 bits a channel: scanners give 16."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return Image.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8))
    return image if image.mode in ("L", "RGB") else image.convert("RGB")
