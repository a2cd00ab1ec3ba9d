"""Every picture format and fault, made by Pillow: handled rightly, or refused in one line."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage import data

from tests.conftest import Here
from tests.fuzz.bench import megabytes

CAT = Image.fromarray(data.chelsea()).resize((120, 80))


class Bench:
    """An album that the command colours."""

    def __init__(self, here: Here, capsys: pytest.CaptureFixture[str]) -> None:
        self.here, self.capsys = here, capsys
        Path("album").mkdir()

    def run(self, *options: str) -> tuple[int, str, str]:
        status = self.here("colorize", "album", "-o", "out", *options)
        printed = self.capsys.readouterr()
        return status, printed.out, printed.err

    def coloured(self, name: str, *options: str) -> Image.Image:
        """The picture that one of the album became."""
        status, _, complaints = self.run(*options)
        assert (status, complaints) == (0, "")
        with Image.open(Path("out") / name) as image:
            image.load()
            return image.copy()

    def refused(self, name: str) -> str:
        """The line that names one which was refused; the others are done."""
        CAT.save("album/good.png")
        status, printed, complaints = self.run()
        lines = complaints.splitlines()
        assert status == 1
        assert "1 photograph coloured" in printed
        assert len(lines) == 2
        assert lines[0].startswith(f"not coloured: album/{name}: ")
        assert lines[1] == "colorizer: 1 of 2 not coloured"
        assert [file.name for file in Path("out").iterdir()] == ["good.png"]
        return lines[0]


@pytest.fixture
def bench(here: Here, capsys: pytest.CaptureFixture[str]) -> Bench:
    return Bench(here, capsys)


def luminance(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L")).astype(int)


def apart(one: Image.Image, other: Image.Image) -> float:
    """The largest difference of luminance, of 255."""
    return float(np.abs(luminance(one) - luminance(other)).max())


def is_coloured(image: Image.Image) -> bool:
    red, green, blue = np.moveaxis(np.asarray(image.convert("RGB")).astype(int), -1, 0)
    return bool(max(np.abs(red - green).max(), np.abs(blue - green).max()) > 10)


@pytest.mark.parametrize("name", ["x.jpg", "x.JPEG", "x.png", "x.tif", "x.tiff", "x.webp"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_formats(bench: Bench, name: str, mode: str) -> None:
    CAT.convert(mode).save(f"album/{name}")
    with Image.open(f"album/{name}") as given:
        found = bench.coloured(name)
        assert found.size == given.size
        assert found.mode == "RGB"
        assert apart(found, given) <= (0 if name in ("x.png", "x.tif", "x.tiff") else 16)
        assert is_coloured(found)
        with Image.open(f"out/{name}") as written:
            assert written.format == given.format


def test_colour_is_made_gray_first_and_that_is_said(bench: Bench) -> None:
    CAT.save("album/colour.png")
    CAT.convert("L").save("album/gray.png")
    _, printed, _ = bench.run()
    assert "1 photograph had colour channels: made gray first" in printed
    with Image.open("out/colour.png") as one, Image.open("out/gray.png") as other:
        assert one.tobytes() == other.tobytes()


def test_the_wrong_ending(bench: Bench) -> None:
    """What is in the file counts."""
    CAT.save("album/x.jpg", "PNG")
    assert apart(bench.coloured("x.jpg"), CAT) == 0
    with Image.open("out/x.jpg") as written:
        assert written.format == "PNG"


def test_cmyk(bench: Bench) -> None:
    CAT.convert("CMYK").save("album/x.jpg", quality=95)
    CAT.convert("CMYK").save("album/x.tif")
    found = bench.coloured("x.tif")
    assert (found.mode, apart(found, CAT)) == ("RGB", 0)
    with Image.open("out/x.jpg") as written:
        assert written.mode == "RGB"
        assert apart(written, CAT) < 16


def test_16_bits(bench: Bench) -> None:
    wide = np.asarray(CAT.convert("L")).astype(np.uint16) * 257
    Image.fromarray(wide).save("album/x.png")
    Image.fromarray(wide).save("album/x.tif")
    status, printed, _ = bench.run()
    assert status == 0
    assert "2 photographs had 16 bits a channel: 8 are kept" in printed
    for name in ("x.png", "x.tif"):
        with Image.open(f"out/{name}") as written:
            assert apart(written, CAT) == 0


def test_a_palette(bench: Bench) -> None:
    given = CAT.quantize(64)
    given.save("album/x.png")
    assert apart(bench.coloured("x.png"), given.convert("RGB")) == 0


def transparent(kind: str) -> Image.Image:
    opacity = Image.linear_gradient("L").resize(CAT.size)
    if kind == "P":
        image = CAT.quantize(16)
        image.info["transparency"] = 3
        return image
    image = CAT.convert("RGBA")
    image.putalpha(opacity)
    return image.convert(kind)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("P", "x.png"), *((k, f"x.{e}") for k in ("LA", "RGBA") for e in ("png", "tif", "webp"))],
)
def test_alpha_is_kept(bench: Bench, kind: str, name: str) -> None:
    image = transparent(kind)
    image.save(f"album/{name}", lossless=True)
    with Image.open(f"album/{name}") as given:
        opacity = np.asarray(given.convert("RGBA").getchannel("A"))
    found = bench.coloured(name, "--compare")
    assert found.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(found.getchannel("A")), np.hstack([opacity] * 2))


def test_transparency_is_not_for_jpeg(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    transparent("RGBA").save("x.png")
    assert here("colorize", "x.png", "-o", "x.jpg") == 1
    assert "transparent, which JPEG cannot be" in capsys.readouterr().err
    assert not Path("x.jpg").exists()


@pytest.mark.parametrize("turn", range(2, 9))
def test_turned_by_exif(bench: Bench, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    exif[0x010F] = "Maker"
    for name in ("x.jpg", "x.png", "x.tif", "x.webp"):
        CAT.save(f"album/{name}", exif=exif, quality=95)
    found = bench.coloured("x.png")
    assert found.size == ((80, 120) if turn > 4 else (120, 80))
    for name in ("x.jpg", "x.png", "x.tif", "x.webp"):
        with Image.open(f"out/{name}") as written:
            kept = written.getexif()
            assert kept.get(0x0112, 1) == 1
            assert kept[0x010F] == "Maker"
            assert written.size == found.size
            assert np.abs(luminance(written) - luminance(found)).mean() < 3


def test_profile_and_metadata_are_kept(bench: Bench) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010E] = "Grandmother, 1931"
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">Lisbon</x:xmpmeta>'
    iptc = b"\xff\xed" + (18).to_bytes(2, "big") + b"Photoshop 3.0\x00cc"
    common: dict[str, Any] = {"icc_profile": profile, "exif": exif, "dpi": (300, 300)}
    CAT.save("album/x.jpg", **common, xmp=xmp, comment=b"by the sea", extra=iptc)
    CAT.save("album/x.tif", **common, compression="tiff_lzw")
    CAT.save("album/x.png", **common)
    CAT.save("album/x.webp", icc_profile=profile, exif=exif, xmp=xmp)
    assert bench.run()[0] == 0
    for name in ("x.jpg", "x.tif", "x.png", "x.webp"):
        with Image.open(f"out/{name}") as written:
            assert written.info["icc_profile"] == profile
            assert written.getexif()[0x010E] == "Grandmother, 1931"
            if name != "x.webp":
                assert [round(dots) for dots in written.info["dpi"]] == [300, 300]
            if name in ("x.jpg", "x.webp"):
                assert written.info["xmp"] == xmp
            if name == "x.jpg":
                assert written.info["comment"] == b"by the sea"
                assert iptc[4:] in [content for _, content in written.applist]  # type: ignore[attr-defined]


def test_a_profile_of_gray_pixels_becomes_srgb(bench: Bench) -> None:
    """Left beside RGB, it would mean nothing, and some programs would not open the file."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = b"GRAY"
    CAT.convert("L").save("album/x.jpg", icc_profile=bytes(profile), quality=95)
    found = bench.coloured("x.jpg")
    assert found.info.get("icc_profile", b"")[16:20] in (b"RGB ", b"")
    assert is_coloured(found)


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (7, 5), (20_000, 60), (60, 20_000)])
def test_sizes(bench: Bench, size: tuple[int, int]) -> None:
    given = CAT.convert("L").resize(size)
    given.save("album/x.png")
    given.save("album/x.jpg", quality=95)
    found = bench.coloured("x.png")
    assert found.size == size
    assert apart(found, given) == 0


def truncated(path: Path) -> None:
    CAT.resize((400, 300)).save(path)
    path.write_bytes(path.read_bytes()[:-2000])


def zero_bytes(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("no picture")


def animated(path: Path) -> None:
    CAT.save(path, save_all=True, append_images=[CAT.rotate(90), CAT.rotate(180)])


def a_gif(path: Path) -> None:
    CAT.save(path, "GIF")


def bomb(path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(path)


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def floats(path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), np.float32)).save(path)


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        *((name, truncated, "") for name in ("x.jpg", "x.png", "x.webp", "x.tif")),
        ("x.png", zero_bytes, "it is empty"),
        ("x.jpg", text, "no JPEG, PNG, TIFF or WebP"),
        ("x.png", a_gif, "no JPEG, PNG, TIFF or WebP"),
        ("x.png", animated, "it has 3 frames"),
        ("x.webp", animated, "it has 3 frames"),
        ("x.tif", animated, "it has 3 frames or pages"),
        ("x.tif", floats, "mode F: 8 or 16 bits"),
        ("x.png", bomb, "400000000 pixels"),
        ("x.png", a_loop, "a link to nothing"),
        ("x.png", a_pipe, "nothing that can be read again"),
    ],
)
def test_what_is_refused(
    bench: Bench, name: str, make: Callable[[Path], None], message: str
) -> None:
    make(Path("album") / name)
    Path("/proc/self/clear_refs").write_text("5")
    memory, started = megabytes("VmRSS"), time.process_time()
    assert message in bench.refused(name)
    assert megabytes("VmHWM") - memory < 300
    assert time.process_time() - started < 5


def test_a_folder_with_a_picture_name_and_others(bench: Bench) -> None:
    """Folders are folders, whatever they are called; other files are passed over."""
    inner = Path("album/x.png")
    inner.mkdir()
    CAT.save(inner / "y.png")
    (inner / "round").symlink_to("..")
    Path("album/notes.txt").write_text("no picture")
    status, printed, complaints = bench.run()
    assert (status, complaints) == (0, "")
    assert "1 photograph coloured; 1 other file passed over" in printed
    assert sorted(map(str, Path("out").rglob("*.png"))) == ["out/x.png", "out/x.png/y.png"]


def test_names_that_are_not_utf_8(bench: Bench) -> None:
    name = os.fsdecode(b"caf\xe9\n.png")
    CAT.save(f"album/{name}")
    Path(f"album/broken-{name}").write_bytes(b"")
    status, _, complaints = bench.run()
    assert status == 1
    assert "not coloured: album/broken-caf??.png: it is empty" in complaints
    assert [os.fsencode(file.name) for file in Path("out").iterdir()] == [b"caf\xe9\n.png"]
