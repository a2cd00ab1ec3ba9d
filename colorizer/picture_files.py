"""Reading picture files as people see them: upright, in sRGB, without transparency."""

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from colorizer.errors import first_line, shown

# In small letters.
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")

# Those of Pillow's with 8 bits a channel.
MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV"})


class PictureError(Exception):
    """A file is no picture that can be read; the message says why, in a line."""


def read_picture(content: bytes, shorter_side: int | None = None) -> Image.Image:
    """The (first) picture of a file: mode RGB.

    It is turned as its EXIF says, its colours are converted from its ICC profile to sRGB, what is
    transparent becomes white, and 16 bits of gray become 8.

    Args:
        content: of the file.
        shorter_side: in pixels; a picture with a longer one is shrunk to it. None: as it is.

    Raises:
        PictureError: it is none, cut short, or of a kind that is not read, such as real numbers.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content)) as picture:
            if shorter_side is not None:
                # JPEG decodes an eighth of the resolution many times as fast.
                picture.draft(None, (2 * shorter_side, 2 * shorter_side))
            picture.load()
            profile = picture.info.get("icc_profile")
            return _in_srgb(_shrunk(_opaque(_upright(picture)), shorter_side), profile)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError("no picture, or of an unknown kind") from error
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise PictureError(f"more than {most} million pixels") from error
    except Exception as error:  # a damaged file makes its reader raise anything
        raise PictureError(shown(first_line(error))) from error


def picture_files(root: Path) -> list[Path]:
    """Files below a folder that are named like pictures, in order; hidden ones are left out.

    Raises:
        OSError: a folder cannot be read.
    """
    found, folders = [], [root]
    while folders:
        for path in folders.pop().iterdir():
            if path.name.startswith("."):
                continue
            if path.is_dir() and not path.is_symlink():
                folders.append(path)
            elif path.suffix.lower() in SUFFIXES and path.is_file():
                found.append(path)
    return sorted(found)


def _upright(picture: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception):  # EXIF that cannot be read says nothing
        return ImageOps.exif_transpose(picture)
    return picture


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode not in MODES:
        raise PictureError(f"its pixels are of mode {picture.mode}, not 8 bits a channel")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    # What a profile describes: colours, not their numbers in a palette.
    return picture if picture.mode in ("L", "RGB", "CMYK") else picture.convert("RGB")


def _shrunk(picture: Image.Image, shorter_side: int | None) -> Image.Image:
    factor = (shorter_side or 0) / min(picture.size)
    if not 0 < factor < 1:
        return picture
    width, height = (max(1, round(side * factor)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        # One that is damaged, or of another kind of pixels, says nothing.
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            found = ImageCms.profileToProfile(picture, source, srgb, outputMode="RGB")
            assert found is not None
            return found
    return picture.convert("RGB")
