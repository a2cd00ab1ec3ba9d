from pathlib import Path

import pytest
import torch

from colorizer.colorizer import Colorizer
from colorizer.data import Photos
from colorizer.errors import UserError
from colorizer.models import GrayCopy
from colorizer.pictures import (
    Examples,
    colorize_examples,
    picture_of_rows,
    random_indices,
    to_bytes,
)
from colorizer.representations import RGB


def chosen(photos: Photos, seed: int = 0) -> list[int]:
    return random_indices(len(photos.split("test")), 10, seed)


@pytest.fixture
def examples(photos: Photos) -> Examples:
    colorizer = Colorizer(GrayCopy(3), RGB()).eval()
    images = photos.split("test").images
    return colorize_examples(colorizer, images[chosen(photos)], torch.device("cpu"))


def test_always_the_same_random_images(photos: Photos) -> None:
    assert chosen(photos) == chosen(photos)
    assert chosen(photos) != chosen(photos, seed=1)
    assert len(set(chosen(photos))) == 10


def test_rows_are_gray_predicted_and_true(photos: Photos, examples: Examples) -> None:
    assert torch.equal(examples.true, photos.split("test").images[chosen(photos)])
    assert torch.equal(examples.gray[:, 0], examples.gray[:, 2])
    assert torch.equal(examples.predicted, examples.gray)


def test_saved_and_loaded(examples: Examples, tmp_path: Path) -> None:
    examples.save(tmp_path / "deep" / "examples.npz")
    loaded = Examples.load(tmp_path / "deep" / "examples.npz")
    assert all(torch.equal(*pair) for pair in zip(examples, loaded, strict=True))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "examples.npz").write_bytes(b"PK")
    with pytest.raises(UserError, match="examples.npz is cut short"):
        Examples.load(tmp_path / "examples.npz")


def test_pixels_of_the_picture_are_the_images(examples: Examples) -> None:
    picture = picture_of_rows([("true", examples.true)], scale=2, gap=4)
    width, height = picture.size
    assert height == 4 + 2 * 32 + 4
    left = width - 10 * (2 * 32 + 4)
    for column, image in enumerate(examples.true):
        corner = picture.getpixel((left + column * (2 * 32 + 4), 4))
        assert corner == tuple(image[:, 0, 0].tolist())


def test_bytes_round_to_nearest() -> None:
    assert to_bytes(torch.tensor([-1.0, 0.4 / 255, 0.6 / 255, 1.0, 2.0])).tolist() == [
        0,
        0,
        1,
        255,
        255,
    ]
