from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from colorizer.color import rgb_to_chroma
from colorizer.errors import UserError
from colorizer.photographs import colorize_image
from colorizer.serve.coloring import SHOWN, Picture
from colorizer.serve.offered import Offered
from colorizer.serve.uploads import FORMATS, MOST_BYTES, read_picture
from tests.conftest import Here
from tests.serve.pictures import png_of_zeros


@pytest.fixture(scope="module")
def offered() -> Offered:
    return Offered()


@pytest.mark.parametrize("name", FORMATS)
def test_pictures_of_every_format_are_read(name: str, astronaut: Path, tmp_path: Path) -> None:
    image = Image.open(astronaut).resize((61, 40))
    path = tmp_path / "picture"
    image.save(path, name, quality=95)
    read = read_picture(path)
    assert (read.mode, read.size) == ("RGB", (61, 40))
    difference = np.asarray(read).astype(int) - np.asarray(image)
    assert np.abs(difference).mean() < (1 if name in ("PNG", "TIFF", "BMP") else 12)


def test_pictures_are_upright_and_of_8_bits(astronaut: Path, tmp_path: Path) -> None:
    gray = Image.open(astronaut).convert("L").resize((60, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    gray.save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_picture(tmp_path / "turned.png"), np.rot90(gray, -1))
    deep = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    for name in ("deep.png", "deep.tiff"):
        deep.save(tmp_path / name)
        assert np.array_equal(read_picture(tmp_path / name), gray)
    gray.convert("LA").save(tmp_path / "transparent.png")
    assert read_picture(tmp_path / "transparent.png").mode == "RGB"


def test_what_is_refused(astronaut: Path, tmp_path: Path) -> None:
    def refused(path: Path, message: str) -> None:
        with pytest.raises(UserError, match=message) as caught:
            read_picture(path)
        assert "\n" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)

    cut, text, large = (tmp_path / name for name in ("cut.jpg", "text.png", "large.jpg"))
    cut.write_bytes(astronaut.read_bytes()[:9000])
    refused(cut, "is damaged or cut short")
    text.write_text("<svg></svg>")
    refused(text, "no picture, or not one of JPEG")
    large.write_bytes(astronaut.read_bytes() + bytes(MOST_BYTES))
    refused(large, "The file has 30.1 MB; the page takes up to 30 MB")
    refused(png_of_zeros(tmp_path / "wide.png", 10_000, 5_001), "10000 x 5001, 50 megapixels")
    refused(png_of_zeros(tmp_path / "bomb.png", 14_000, 13_000), "far more than that")


def test_answers_are_files_of_the_pictures_size(
    offered: Offered, astronaut: Path, tmp_path: Path
) -> None:
    image = read_picture(astronaut).resize((1500, 300))
    colorizer = offered.colorizer("cifar10-vivid")
    picture = Picture(image, "../My *pic*.jpg", colorizer, "cifar10-vivid", 1.0, tmp_path)
    shown, whole = picture.answer()
    assert whole == tmp_path / "My-pic-cifar10-vivid.png"
    expected = colorize_image(colorizer, image)
    assert np.array_equal(Image.open(whole), expected)
    assert Image.open(shown).size == (SHOWN, round(SHOWN * 300 / 1500))
    drawn, of_draw = picture.answer(1)
    assert picture.draw(1) == drawn != shown
    assert np.array_equal(Image.open(of_draw), colorize_image(colorizer, image, sample_seed=1))
    assert not np.array_equal(Image.open(of_draw), expected)


def test_vividness_is_a_factor_of_chroma(offered: Offered, astronaut: Path, tmp_path: Path) -> None:
    image, name = read_picture(astronaut), "cifar10-faithful"
    chroma = {}
    for vividness in (0.0, 0.5, 1.0):
        folder = tmp_path / str(vividness)
        folder.mkdir()
        picture = Picture(image, "a.jpg", offered.colorizer(name), name, vividness, folder)
        pixels = torch.from_numpy(np.array(Image.open(picture.answer()[1]))).permute(2, 0, 1)
        chroma[vividness] = float(rgb_to_chroma(pixels.float() / 255).abs().mean())
    assert chroma[0.0] < 1e-6
    assert chroma[0.5] == pytest.approx(chroma[1.0] / 2, rel=0.1)


def test_what_is_offered(trained: Path, here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    offered = Offered([str(trained)])
    assert offered.names[1:] == ["cifar10-faithful", "cifar10-vivid"]
    assert [offered.draws(name) for name in offered.names] == [False, False, True]
    assert len({offered.fingerprint(name) for name in offered.names}) == 3
    assert here("serve", "--model", "nothing") == 2
    assert "are no weights, 'nothing'" in capsys.readouterr().err
