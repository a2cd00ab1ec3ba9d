"""Real files of scikit-image's photographs, as cameras, scanners and editors write them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from skimage import data

from colorizer.picture_files import PictureError, picture_files, read_picture


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def chelsea() -> Image.Image:
    return Image.fromarray(data.chelsea())


def difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_every_kind_is_read_as_it_was_written(chelsea: Image.Image, kind: str) -> None:
    found = read_picture(
        saved(chelsea, kind, quality=95, **{"lossless": True} if kind == "WEBP" else {})
    )
    assert found.mode == "RGB"
    assert difference(found, chelsea) < (4 if kind == "JPEG" else 0.01)


def test_exif_says_which_side_is_up(chelsea: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the top is at the right
    found = read_picture(saved(chelsea, "PNG", exif=exif))
    assert found.size == chelsea.size[::-1]
    assert difference(found, chelsea.transpose(Image.Transpose.ROTATE_270)) == 0


def test_colours_are_converted_to_srgb(chelsea: Image.Image) -> None:
    """A profile of another space, here CIE XYZ's and Lab's own, changes what numbers mean."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    same = read_picture(saved(chelsea, "PNG", icc_profile=srgb.tobytes()))
    assert difference(same, chelsea) < 0.5
    swapped = swapped_primaries(srgb.tobytes())
    found = read_picture(saved(chelsea, "PNG", icc_profile=swapped))
    red, green, blue = chelsea.split()
    assert difference(found, Image.merge("RGB", (green, red, blue))) < 1
    assert difference(read_picture(saved(chelsea, "PNG", icc_profile=b"no profile")), chelsea) == 0


def swapped_primaries(profile: bytes) -> bytes:
    """An sRGB profile whose red is green and whose green is red, so that numbers are swapped."""
    count = int.from_bytes(profile[128:132], "big")
    table = {profile[132 + 12 * i : 136 + 12 * i]: 132 + 12 * i for i in range(count)}
    content = bytearray(profile)
    red, green = (slice(table[name] + 4, table[name] + 12) for name in (b"rXYZ", b"gXYZ"))
    content[red], content[green] = profile[green], profile[red]
    return bytes(content)


def test_transparency_is_white(chelsea: Image.Image) -> None:
    picture = chelsea.convert("RGBA")
    picture.paste((255, 0, 0, 0), (0, 0, 100, 100))
    found = np.asarray(read_picture(saved(picture, "PNG")))
    assert (found[:100, :100] == 255).all()
    assert (found[100:] == np.asarray(chelsea)[100:]).all()


def test_other_modes(chelsea: Image.Image) -> None:
    """A palette, CMYK, and 16 bits of gray."""
    assert difference(read_picture(saved(chelsea.quantize(256), "PNG")), chelsea) < 10
    assert difference(read_picture(saved(chelsea.convert("CMYK"), "TIFF")), chelsea) < 1
    gray = np.asarray(chelsea.convert("L"))
    deep = read_picture(saved(Image.fromarray(gray.astype(np.uint16) * 257), "PNG"))
    assert difference(deep, Image.fromarray(gray).convert("RGB")) == 0


def test_a_large_picture_is_shrunk_to_what_is_needed(chelsea: Image.Image) -> None:
    content = saved(chelsea.resize((1804, 1200)), "JPEG", quality=95)
    found = read_picture(content, 128)
    assert found.size == (192, 128)
    assert difference(found, chelsea.resize((192, 128), Image.Resampling.BICUBIC)) < 4
    assert read_picture(saved(chelsea, "PNG"), 1000).size == chelsea.size


def reals() -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((8, 8), np.float32))
    return file.getvalue()


def test_what_cannot_be_read_is_said_in_a_line(
    chelsea: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = saved(chelsea, "JPEG")
    for content, message in (
        (b"", "no picture, or of an unknown kind"),
        (b"GIF is no picture", "no picture, or of an unknown kind"),
        (whole[: len(whole) // 2], "truncated"),
        (saved(chelsea, "PNG")[:5000], "truncated"),
        (saved(chelsea, "TIFF")[:5000], ""),
        (reals(), "its pixels are of mode F, not 8 bits a channel"),
    ):
        with pytest.raises(PictureError) as caught:
            read_picture(content)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
        assert str(caught.value)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(PictureError, match="more than 0 million pixels"):
        read_picture(whole)


def test_pictures_are_found_in_folders_below(chelsea: Image.Image, tmp_path: Path) -> None:
    names = ["b.PNG", "a/c.jpeg", "a/d/e.webp", ".hidden/f.png", "a/._g.jpg", "notes.txt", "h.gif"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    found = [path.relative_to(tmp_path).as_posix() for path in picture_files(tmp_path)]
    assert found == ["a/c.jpeg", "a/d/e.webp", "b.PNG"]
