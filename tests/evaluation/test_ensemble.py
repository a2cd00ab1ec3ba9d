"""Ensembles: the mean of several colorizers, each for both mirror images."""

import json
from pathlib import Path

import pytest
import torch

from colorizer.cli import main
from colorizer.color import luma
from colorizer.data import Photos
from colorizer.evaluation.ensemble import Ensemble


class Shaded(torch.nn.Module):
    """Redder to the right, or where the image is brighter."""

    def __init__(self, by_place: bool) -> None:
        super().__init__()
        self.by_place = by_place

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        place = torch.linspace(0, 1, gray.shape[-1]).expand_as(gray)
        return torch.cat((place if self.by_place else gray, gray, gray), dim=1)


def test_the_mean_of_all_and_of_their_mirror_images(photos: Photos) -> None:
    gray = luma(photos.split("test").images[:8].float() / 255)
    both = Ensemble([Shaded(True), Shaded(False)])(gray)
    # What depends on the place alone is the same from the left and from the right.
    expected = torch.cat(((0.5 + gray) / 2, gray, gray), dim=1)
    assert torch.allclose(both, expected, atol=1e-6)


def test_one_more_row_with_less_error_than_its_members(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(trained), "--ensemble", "-o", str(tmp_path)]) == 0
    assert ", mirrored too" in capsys.readouterr().out
    rows = json.loads((tmp_path / "scores.json").read_text())["rows"]
    (title,) = (title for title in rows if title.endswith(", mirrored too"))
    errors = [
        rows[name]["readings"]["raw"]["all"]["mse"][0]
        for name in (title.removesuffix(", mirrored too"), title)
    ]
    assert errors[1] < errors[0]
