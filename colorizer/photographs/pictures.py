"""Files of photographs: JPEG, PNG, TIFF and WebP, read as gray and written in colour."""

import io
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from colorizer.errors import UserError, first_line, shown
from colorizer.files import atomic_write

# By the ending of a file's name; what is in it counts when it is read.
FORMATS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    ".png": "PNG",
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    ".webp": "WEBP",
}

OPENED = ("JPEG", "PNG", "TIFF", "WEBP")

# Modes of Pillow's that have colour channels.
COLOURED = frozenset({"P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr"})
GRAY = frozenset({"1", "L", "LA", "La"})

# In pixels. Pillow's decoder of WebP takes 16 bytes a pixel, and others up to 6; it refuses what
# has more than 179 million.
MOST_WEBP = 80_000_000
# Of pictures side by side, which take 4 bytes a pixel.
MOST_BESIDE = 200_000_000
# Of a strip that is converted at once.
STRIP = 2**20

# Of TIFF; others are for black and white, or change the picture.
LOSSLESS = ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate")

# What Exif data say of the pixels of the file that they come from.
STRUCTURE = (
    *(256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325),
    *(330, 338, 339, 347, 529, 530, 531, 532, 34675),
)

# Where an orientation can be, beside the tags of TIFF, which Pillow turns as it reads them.
ORIENTED = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
XMP_ORIENTATION = r'tiff:Orientation="\d"|<tiff:Orientation>\d</tiff:Orientation>'


@dataclass
class Photograph:
    """A photograph that was read: upright, gray, with what is kept of its file.

    Args:
        gray: of mode L.
        alpha: its opacity, of mode L; None where it is opaque.
        format: of the file: JPEG, PNG, TIFF or WEBP.
        in_colour: whether the file has colour channels.
        deep: whether it has 16 bits a channel, of which 8 are kept.
        options: for Pillow's `save`: colour profile, Exif, XMP, resolution, comment, text.
    """

    gray: Image.Image
    alpha: Image.Image | None
    format: str
    in_colour: bool
    deep: bool
    options: dict[str, Any]

    def write(self, picture: Image.Image, path: Path, format: str | None = None) -> None:  # noqa: A002  # Pillow's word
        """Write a picture with its opacity and metadata.

        Args:
            picture: of mode RGB, and of its size; or several of these side by side.
            path: the file, made or replaced when it is complete.
            format: None: that of its own file.

        Raises:
            UserError: the format does not take it: too large, or transparent.
            OSError: it cannot be written.
        """
        format = format or self.format  # noqa: A001
        if self.alpha:
            if format == "JPEG":
                raise UserError("it is transparent, which JPEG cannot be: -o FILE.png")
            count = picture.width // self.gray.width
            picture.putalpha(beside([self.alpha] * count, count))
        with atomic_write(path) as part, _Checked(io.FileIO(part, "w")) as file:
            try:
                picture.save(file, format, **_fitting(self.options, format))
            except (ValueError, SystemError, OSError) as error:
                if isinstance(error, OSError) and error.errno:
                    raise
                size = f"{picture.width}x{picture.height}"
                raise UserError(f"{format} does not take {size} pixels of it: {error}") from error


class _Checked(io.BufferedWriter):
    """A file that Pillow has to write to through Python.

    What it writes to a descriptor itself can end in the middle, on a full disk, without an error.
    """

    def fileno(self) -> int:
        """Not to be had."""
        raise io.UnsupportedOperation


def beside(pictures: Iterable[Image.Image], count: int) -> Image.Image:
    """Pictures beside each other; one alone is given back.

    Args:
        pictures: of the same size and mode; made one by one.
        count: how many.

    Raises:
        UserError: they are too large together.
    """
    rest = iter(pictures)
    picture = next(rest)
    if count == 1:
        return picture
    width, height = picture.size
    if count * width * height > MOST_BESIDE:
        raise UserError(f"{count} pictures of {width}x{height} pixels are too large side by side")
    whole = Image.new(picture.mode, (count * width, height))
    whole.paste(picture, (0, 0))
    for column in range(1, count):
        del picture  # before the next one is made
        picture = next(rest)
        whole.paste(picture, (column * width, 0))
    return whole


def read_photograph(path: Path) -> Photograph:
    """Read a photograph as gray.

    Takes 6 bytes a pixel (WebP 16), and refuses what has more than 179 million (WebP 80).

    Raises:
        UserError: it cannot be read, is no photograph in one of these formats, or has several
            frames or more than 16 bits a channel.
    """
    try:
        if not path.is_file():
            raise UserError(f"no file: {_what(path)}")
        if not path.stat().st_size:
            raise UserError("it is empty")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of broken metadata, and of more than 89 megapixels
            with Image.open(path, formats=OPENED) as image:
                return _photograph(image)
    except UnidentifiedImageError as error:
        raise UserError("no JPEG, PNG, TIFF or WebP that can be read") from error
    except UserError:
        raise
    except MemoryError as error:
        raise UserError("it is too large for the memory") from error
    except Exception as error:  # Pillow's readers raise what they meet: struct.error, KeyError, …
        raise UserError(shown(first_line(error), most=200)) from error


def _what(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    return "a link to nothing" if path.is_symlink() else "nothing that can be read again"


def _photograph(image: Any) -> Photograph:
    """`read_photograph` of an image that is open."""
    mode, deep = image.mode, image.mode.startswith("I;16")
    # MPO: a JPEG file with further pictures behind the first, as cameras write them.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise UserError(f"it has {image.n_frames} frames or pages: one is asked for")
    if not (mode in COLOURED | GRAY or deep):
        raise UserError(f"its pixels are of mode {mode}: 8 or 16 bits, gray or RGB, are asked for")
    if image.format == "WEBP" and image.width * image.height > MOST_WEBP:
        raise UserError(
            f"{image.width}x{image.height} pixels of WebP take too much memory: as JPEG, PNG or "
            "TIFF it can have twice as many"
        )
    image.draft("L", None)  # of a JPEG file, the luminance is decoded alone
    options = _kept(image)
    alpha = None
    if image.has_transparency_data and not deep:
        alpha = _upright(_plane(image, lambda strip: strip.convert("RGBA").getchannel("A")), image)
    gray, profile = _gray(image)
    gray = _upright(gray, image)
    options |= {"icc_profile": profile} if profile else {}
    kind = "JPEG" if image.format == "MPO" else image.format
    return Photograph(gray, alpha, kind, mode in COLOURED, deep, options)


def _plane(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """One channel of mode L from a whole image, a few rows at a time."""
    plane = Image.new("L", image.size)
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        plane.paste(convert(image.crop((0, top, image.width, bottom))), (0, top))
    return plane


def _gray(image: Image.Image) -> tuple[Image.Image, bytes | None]:
    """The luminance, and the colour profile that fits its RGB.

    Profiles of gray and of CMYK pixels mean nothing for RGB: those pixels are converted to sRGB.
    """
    profile = image.info.get("icc_profile")
    space = profile[16:20] if profile else b"RGB "
    if space in (b"GRAY", b"CMYK") and image.mode in ("L", "CMYK"):
        try:
            srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile or b""))
            transform = ImageCms.buildTransform(given, srgb, image.mode, "RGB")
            return _plane(image, lambda strip: transform.apply(strip).convert("L")), srgb.tobytes()
        except (ImageCms.PyCMSError, OSError):  # a damaged profile
            profile = None
    convert = _high_bytes if image.mode.startswith("I;16") else _luminance
    return _plane(image, convert), profile if space == b"RGB " else None


def _luminance(strip: Image.Image) -> Image.Image:
    # A palette's transparency would be warned of.
    return (strip.convert("RGBA") if strip.mode in ("P", "PA") else strip).convert("L")


def _high_bytes(strip: Image.Image) -> Image.Image:
    return Image.fromarray((np.asarray(strip) >> 8).astype(np.uint8))


def _upright(plane: Image.Image, image: Any) -> Image.Image:
    """A plane of an image, turned as the image's Exif orientation says."""
    plane.info = {key: image.info[key] for key in ORIENTED if key in image.info}
    ImageOps.exif_transpose(plane, in_place=True)
    plane.info = {}
    return plane


def _kept(image: Any) -> dict[str, Any]:
    """Metadata that do not depend on the pixels."""
    image.load()  # PNG has text behind the pixels
    exif = image.getexif()
    for tag in STRUCTURE:
        exif.pop(tag, None)
    kept: dict[str, Any] = {"exif": exif.tobytes()} if exif else {}
    info = image.info
    kept |= {key: info[key] for key in ("dpi", "comment") if info.get(key)}
    if isinstance(xmp := info.get("xmp"), bytes) and image.format != "TIFF":  # there it is in Exif
        kept["xmp"] = re.sub(XMP_ORIENTATION.encode(), b"", xmp)
    if isinstance(compression := info.get("compression"), str):
        kept["compression"] = compression if compression in LOSSLESS else "tiff_lzw"
    # Photoshop's segment has the IPTC captions of archives.
    segments = [data for name, data in getattr(image, "applist", []) if name == "APP13"]
    kept["extra"] = b"".join(
        b"\xff\xed" + (len(data) + 2).to_bytes(2, "big") + data for data in segments
    )
    text = getattr(image, "text", {}).items()
    kept["text"] = {key: re.sub(XMP_ORIENTATION, "", str(value)) for key, value in text}
    return kept


def _fitting(kept: dict[str, Any], format: str) -> dict[str, Any]:  # noqa: A002
    """The options of Pillow's `save` that a format knows, and how well it is compressed."""
    common = ("icc_profile", "exif", "dpi")
    known = {
        "JPEG": (*common, "xmp", "comment", "extra"),
        "PNG": common,
        "TIFF": (*common, "compression"),
        "WEBP": (*common, "xmp"),
    }[format]
    options = {key: kept[key] for key in known if kept.get(key)}
    if format == "PNG":
        chunks = PngImagePlugin.PngInfo()
        for key, text in kept["text"].items():
            chunks.add_itxt(key, text)
        options["pnginfo"] = chunks
    if format in ("JPEG", "WEBP"):
        options["quality"] = 95
    if format == "JPEG":
        options["subsampling"] = "4:4:4"
    return options
