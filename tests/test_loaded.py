"""What `colorizer.load` gives takes: tensors, arrays and Pillow's images, and clear errors else."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import colorizer
from colorizer.color import luma
from colorizer.loaded import LoadedColorizer, LoadedStochasticColorizer

GRAY = torch.rand(2, 1, 8, 12, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def colorize() -> LoadedColorizer:
    return colorizer.load("cifar10-faithful")


@pytest.fixture(scope="module")
def vivid() -> LoadedStochasticColorizer:
    found = colorizer.load("cifar10-vivid")
    assert isinstance(found, LoadedStochasticColorizer)
    return found


@pytest.fixture(scope="module")
def expected(colorize: LoadedColorizer) -> torch.Tensor:
    return colorize(GRAY)


def test_arrays(colorize: LoadedColorizer, expected: torch.Tensor) -> None:
    for dtype in (np.float32, np.float64, ">f4"):
        found = colorize(GRAY.numpy().astype(dtype))
        assert isinstance(found, np.ndarray)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)
    one = colorize(GRAY[0, 0].numpy())
    assert one.shape == (8, 12, 3)
    np.testing.assert_allclose(one, expected[0].permute(1, 2, 0).numpy(), atol=1e-5)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_pictures(colorize: LoadedColorizer, mode: str) -> None:
    pixels = (GRAY[0, 0] * 255).byte().numpy()
    given = Image.fromarray(pixels).convert("RGB").convert(mode)
    found = colorize(given)
    assert found.mode == "RGB"
    assert found.size == (12, 8)
    rgb = torch.tensor(np.asarray(given.convert("RGB"))).permute(2, 0, 1)[None].float() / 255
    right = colorize(luma(rgb))[0].permute(1, 2, 0).numpy()
    assert np.abs(np.asarray(found) / 255 - right).max() < 0.005


def test_other_precisions_and_rounding(colorize: LoadedColorizer, expected: torch.Tensor) -> None:
    assert torch.allclose(colorize(GRAY.double()), expected, atol=1e-5)
    assert torch.allclose(colorize(GRAY.half()), expected, atol=0.02)
    assert colorize(GRAY.bfloat16()).dtype == torch.float32
    above = GRAY.clone()
    above[0, 0, 0, 0] = 1 + 1e-6
    assert colorize(above).max() <= 1


def test_an_empty_batch(colorize: LoadedColorizer, vivid: LoadedStochasticColorizer) -> None:
    assert colorize(torch.zeros(0, 1, 8, 12)).shape == (0, 3, 8, 12)
    assert colorize(np.zeros((0, 1, 8, 12))).shape == (0, 3, 8, 12)
    assert vivid.sample(torch.zeros(0, 1, 8, 8), 3, torch.Generator()).shape == (3, 0, 3, 8, 8)


def with_value(value: float) -> torch.Tensor:
    changed = GRAY.clone()
    changed[1, 0, 2, 3] = value
    return changed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (with_value(-0.1), r"in \[0, 1\], and these from -0.1 to"),
        (with_value(1.5), r"in \[0, 1\], and these from .* to 1.5"),
        (GRAY * 255, r"in \[0, 1\]"),
        (with_value(float("nan")), "nan"),
        (with_value(float("inf")), "inf"),
        (with_value(float("nan")).numpy(), "nan"),
        ((GRAY * 255).byte(), r"not torch.uint8; .float\(\) / 255 makes them of bytes"),
        ((GRAY * 255).byte().numpy(), "not uint8; / 255 makes them of bytes"),
        (GRAY > 0.5, "not torch.bool"),
        (GRAY.long(), "not torch.int64"),
        (GRAY.to(torch.complex64), "not torch.complex64"),
        (np.array([["a"]]), "real numbers"),
        (np.array([[None]]), "real numbers"),
        (GRAY[0], r"\(B, 1, H, W\), and these are \(1, 8, 12\)"),
        (GRAY.expand(-1, 3, -1, -1), r"and these are \(2, 3, 8, 12\)"),
        (GRAY[..., :0], r"and these are \(2, 1, 8, 0\)"),
        (np.float32(0.5), "this is float32"),
        (GRAY.to_sparse(), "dense"),
        (GRAY.to("meta"), "dense"),
        (Image.new("I;16", (8, 8)), "mode I;16: one of"),
        (Image.new("F", (8, 8)), "mode F: one of"),
        ([[0.5]], "this is list"),
        ("cat.png", "this is str"),
        (None, "this is NoneType"),
    ],
)
def test_what_is_refused(colorize: LoadedColorizer, given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        colorize(given)


def test_samples_are_checked_too(vivid: LoadedStochasticColorizer) -> None:
    generator = torch.Generator().manual_seed(0)
    for given, k, message in (
        (GRAY * 2, 1, r"in \[0, 1\]"),
        (GRAY, 0, "at least one sample"),
        (GRAY, 1.5, "whole number of samples"),
    ):
        with pytest.raises(ValueError, match=message):
            vivid.sample(given, k, generator)  # type: ignore[arg-type]
