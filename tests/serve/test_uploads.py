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
from colorizer.serve.uploads import MOST_BYTES, read_picture
from tests.conftest import Here
from tests.serve.pictures import png_of_zeros, same


@pytest.fixture(scope="module")
def offered() -> Offered:
    return Offered()


def test_pictures_are_upright(astronaut: Path, tmp_path: Path) -> None:
    gray = Image.open(astronaut).convert("L").resize((60, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    gray.save(tmp_path / "turned.png", exif=exif)
    assert same(
        read_picture(tmp_path / "turned.png").gray, gray.transpose(Image.Transpose.ROTATE_270)
    )


def test_what_is_refused(astronaut: Path, tmp_path: Path) -> None:
    def refused(path: Path, message: str) -> None:
        with pytest.raises(UserError, match=message) as caught:
            read_picture(path)
        assert "\n" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)

    cut, text, large = (tmp_path / name for name in ("cut.jpg", "text.png", "large.jpg"))
    cut.write_bytes(astronaut.read_bytes()[:9000])
    refused(cut, "The picture cannot be read: image file is truncated")
    text.write_text("<svg></svg>")
    refused(text, "The picture cannot be read: no JPEG, PNG, TIFF or WebP")
    large.write_bytes(astronaut.read_bytes() + bytes(MOST_BYTES))
    refused(large, "The file has 30.1 MB; the page takes up to 30 MB")
    refused(png_of_zeros(tmp_path / "wide.png", 10_000, 5_001), "10000 x 5001, 50 megapixels")
    refused(png_of_zeros(tmp_path / "bomb.png", 14_000, 13_000), "far more than that")


def test_answers_are_files_of_the_pictures_size(
    offered: Offered, astronaut: Path, tmp_path: Path
) -> None:
    image = Image.open(astronaut).resize((1500, 300))
    exif = Image.Exif()
    exif[0x010E] = "At the window"
    image.save(tmp_path / "My *pic*.jpg", exif=exif)
    photograph = read_picture(tmp_path / "My *pic*.jpg")
    colorizer = offered.colorizer("cifar10-vivid")
    picture = Picture(photograph, "../My *pic*.jpg", colorizer, "vivid", 1.0, tmp_path)
    best, draw = picture.answer(), picture.answer(1)
    assert same(best, colorize_image(colorizer, photograph.gray))
    assert same(draw, colorize_image(colorizer, photograph.gray, sample_seed=1))
    assert not same(best, draw)
    for answer, seed, name in ((best, None, "vivid"), (draw, 1, "vivid-draw-2")):
        written = picture.write(answer, seed)
        assert written == tmp_path / f"My-pic-{name}.png"
        opened = Image.open(written)
        assert same(opened, answer)
        assert opened.getexif()[0x010E] == "At the window"
        shown = picture.show(answer, seed)
        assert shown == tmp_path / f"{name}.jpg"
        assert Image.open(shown).size == (SHOWN, round(SHOWN * 300 / 1500))


def test_vividness_is_a_factor_of_chroma(offered: Offered, astronaut: Path, tmp_path: Path) -> None:
    image, name = read_picture(astronaut), "cifar10-faithful"
    chroma = {}
    for vividness in (0.0, 0.5, 1.0):
        picture = Picture(image, "a.jpg", offered.colorizer(name), name, vividness, tmp_path)
        pixels = torch.from_numpy(np.array(picture.answer())).permute(2, 0, 1)
        chroma[vividness] = float(rgb_to_chroma(pixels.float() / 255).abs().mean())
    assert chroma[0.0] < 1e-6
    assert chroma[0.5] == pytest.approx(chroma[1.0] / 2, rel=0.1)


def test_what_is_offered(trained: Path, here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    offered = Offered([str(trained)])
    vivid = ["cifar10-vivid", "cifar10-vivid@1"]
    assert offered.names[1:] == ["cifar10-faithful", *vivid, "photographs"]
    assert [name for name in offered.names if offered.draws(name)] == vivid
    assert len({offered.fingerprint(name) for name in offered.names}) == 5
    assert here("serve", "--model", "nothing") == 2
    assert "are no weights, 'nothing'" in capsys.readouterr().err
