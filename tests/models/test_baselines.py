import pytest
import torch

from colorizer.color import luma, rgb_to_chroma
from colorizer.data import Batch
from colorizer.models import GrayCopy, GrayLookup, MeanChroma


@pytest.fixture
def batches(rgb: torch.Tensor) -> list[Batch]:
    """Real images in two batches of different sizes."""
    return [Batch(luma(part), part, torch.zeros(len(part))) for part in (rgb[:5], rgb[5:])]


def test_gray_copy_is_gray(rgb: torch.Tensor) -> None:
    gray = luma(rgb)
    output = GrayCopy(3)(gray)
    assert output.shape == rgb.shape
    assert all(torch.equal(output[:, channel], gray[:, 0]) for channel in range(3))


def test_mean_chroma_is_the_mean_over_all_pixels(batches: list[Batch], rgb: torch.Tensor) -> None:
    model = MeanChroma(3)
    model.fit(batches)
    gray = luma(rgb)
    output = model(gray)
    expected = rgb_to_chroma(rgb).mean(dim=(0, 2, 3))
    torch.testing.assert_close(rgb_to_chroma(output).mean(dim=(0, 2, 3)), expected)
    torch.testing.assert_close(luma(output), gray)


def test_gray_lookup_is_the_mean_colour_of_a_level(batches: list[Batch], rgb: torch.Tensor) -> None:
    model = GrayLookup(3)
    model.fit(batches)
    levels = luma(rgb).mul(255).round().long().squeeze(1)
    level = int(levels.flatten().mode().values)
    expected = rgb.movedim(1, -1)[levels == level].mean(0)
    output = model(torch.full((1, 1, 2, 2), level / 255))
    torch.testing.assert_close(output[0, :, 0, 0], expected)


def test_no_function_of_one_pixels_gray_beats_the_lookup(
    batches: list[Batch], rgb: torch.Tensor
) -> None:
    lookup, mean = GrayLookup(3), MeanChroma(3)
    errors = []
    for model in (lookup, mean, GrayCopy(3)):
        model.fit(batches)
        errors.append((model(luma(rgb)) - rgb).square().mean().item())
    assert errors[0] == min(errors)


def test_levels_never_seen_stay_gray() -> None:
    white = torch.ones(1, 3, 4, 4)
    model = GrayLookup(3)
    model.fit([Batch(luma(white), white, torch.zeros(1))])
    gray = torch.full((1, 1, 2, 2), 0.4)
    torch.testing.assert_close(model(gray), gray.expand(-1, 3, -1, -1))


def test_a_baseline_needs_rgb() -> None:
    with pytest.raises(ValueError, match="representation=rgb"):
        GrayCopy(2)
