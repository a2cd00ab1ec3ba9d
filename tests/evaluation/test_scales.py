"""The error of the chroma over scales and images."""

import pytest
import torch

from colorizer.color import chroma_to_rgb, luma, rgb_to_chroma
from colorizer.data import Photos
from colorizer.evaluation.scales import ScaleSums, parts, scale_names


def test_parts_add_up_and_are_orthogonal() -> None:
    images = torch.rand(3, 2, 32, 32, generator=torch.Generator().manual_seed(0))
    found = parts(images)
    assert [part.shape[-1] for part in found] == [1, 2, 4, 8, 16, 32]
    enlarged = [part.repeat_interleave(32 // part.shape[-1], 2) for part in found]
    enlarged = [
        e.repeat_interleave(32 // p.shape[-1], 3) for e, p in zip(enlarged, found, strict=True)
    ]
    assert torch.allclose(sum(enlarged), images, atol=1e-6)  # type: ignore[arg-type]
    for one in range(6):
        for other in range(one):
            assert (enlarged[one] * enlarged[other]).mean().abs() < 1e-7


def test_names() -> None:
    assert scale_names(32, 6) == ["mean", "16-32", "8-16", "4-8", "2-4", "1-2"]
    assert scale_names(48, len(parts(torch.rand(1, 2, 48, 48)))) == [
        "16+", "8-16", "4-8", "2-4", "1-2",
    ]  # fmt: skip


def test_an_error_lies_at_its_scale() -> None:
    gray = torch.full((2, 1, 32, 32), 0.5)
    fine = torch.ones(32, 32)
    fine[::2, ::2] = fine[1::2, 1::2] = -1
    coarse = torch.ones(32, 32)
    coarse[:, 16:] = -1
    true = chroma_to_rgb(gray, torch.zeros(2, 2, 32, 32))
    for pattern, scale in ((fine, "1-2"), (coarse, "16-32"), (torch.ones(32, 32), "mean")):
        sums = ScaleSums()
        sums.add(chroma_to_rgb(gray, 0.1 * pattern.expand(2, 2, 32, 32)), true)
        found = sums.summary()
        errors = dict(zip(found["scale"], found["error"], strict=True))
        assert errors.pop(scale) == pytest.approx(2 * 0.1**2, rel=1e-4)
        assert max(errors.values()) < 1e-9


def test_real_images(photos: Photos) -> None:
    true = photos.split("test").images.float() / 255
    gray = luma(true)
    half = chroma_to_rgb(gray, rgb_to_chroma(true) / 2)
    sums = ScaleSums()
    for part in range(0, len(true), 7):
        sums.add(half[part : part + 7], true[part : part + 7])
    found = sums.summary()
    whole = (rgb_to_chroma(half) - rgb_to_chroma(true)).double().square().sum(1).mean()
    assert sum(found["error"]) == pytest.approx(float(whole), rel=1e-4)
    for error, predicted, real in zip(
        found["error"], found["predicted"], found["true"], strict=True
    ):
        assert error == pytest.approx(real / 4, rel=1e-3)
        assert predicted == pytest.approx(real / 4, rel=1e-3)
    assert found["with_light"] == pytest.approx(found["true_with_light"], abs=1e-3)
    # Edges of colour are where edges of luminance are.
    assert min(found["with_light"][-3:]) > 0.2
    assert found["worst_error"] == sorted(found["worst_error"])
    assert found["worst_error"][-1] > 50  # the worse half has more than half of the error
