"""Controls: a colorizer with nothing but its saturation changed."""

from pathlib import Path

import pytest
import torch

from colorizer.cli import main
from colorizer.color import luma, rgb_to_chroma
from colorizer.data import Photos
from colorizer.evaluation.controls import MatchedGain, SameGain, Saturated, controls, strength


class Tinted(torch.nn.Module):
    """Chroma in proportion to the luminance."""

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        return gray * torch.tensor([0.9, 0.5, 0.4]).view(1, 3, 1, 1)


def test_chroma_is_multiplied_and_luminance_kept(photos: Photos) -> None:
    gray = luma(photos.split("test").images[:8].float() / 255) * 0.5
    plain, more = Tinted()(gray), Saturated(Tinted(), SameGain(1.5))(gray)
    assert torch.allclose(luma(more), luma(plain), atol=1e-5)
    assert torch.allclose(rgb_to_chroma(more), 1.5 * rgb_to_chroma(plain), atol=1e-5)
    assert torch.allclose(Saturated(Tinted(), SameGain(1.0))(gray), plain, atol=1e-5)


def test_a_fitted_gain_gives_the_true_strengths() -> None:
    random = torch.Generator().manual_seed(0)
    predicted, true = torch.rand(50, generator=random), 1 + torch.rand(50, generator=random)
    gain = MatchedGain(predicted, true)
    gains = gain(predicted)
    there = gains < 5  # and what had hardly any gets no more than that
    matched = predicted * gains
    assert matched.argsort().equal(predicted.argsort()) or (~there).any()
    expected = true.sort().values[predicted.argsort().argsort()]
    assert torch.allclose(matched[there], expected[there])
    assert gain(torch.zeros(2)).tolist() == [5, 5]


def test_strength_is_a_root_mean_square() -> None:
    assert strength(torch.full((1, 2, 4, 4), -0.3)).item() == pytest.approx(0.3)


def test_there_is_one_for_each_factor_and_a_fitted_one(photos: Photos) -> None:
    found = dict(controls(Tinted(), photos, torch.device("cpu"), "tint"))
    assert list(found) == ["tint × 1.3", "tint × 1.5", "tint × 1.7", "tint × gain fitted"]
    true = photos.split("val").images.float() / 255
    own, wanted = (
        strength(rgb_to_chroma(rgb)) for rgb in (found["tint × gain fitted"](luma(true)), true)
    )
    assert float(own.mean()) == pytest.approx(float(wanted.mean()), rel=0.15)  # but for clipping


def test_they_are_rows_of_the_table(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(trained), "--controls", "-o", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    for title in ("× 1.3", "× 1.5", "× 1.7", "× gain fitted"):
        assert title in printed
    assert "where the chroma errs" in (tmp_path / "scores.md").read_text()
    assert "Where the chroma errs" in (tmp_path / "report.html").read_text()
