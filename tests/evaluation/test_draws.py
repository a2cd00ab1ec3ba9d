"""Draws as predictions of a distribution, and as images."""

import pytest
import torch

from colorizer.data import Photos
from colorizer.evaluation.draws import draw_rows, energy_score, is_covered, stored
from colorizer.evaluation.images import batches
from tests.evaluation.test_numbers import Dice


def test_the_energy_score_is_its_formula() -> None:
    random = torch.Generator().manual_seed(0)
    draws, true = torch.randn(5, 7, 2, generator=random), torch.randn(7, 2, generator=random)
    for image in range(7):
        own = draws[:, image]
        near = sum(float((x - true[image]).norm()) for x in own) / 5
        pairs = [float((own[i] - own[j]).norm()) for i in range(5) for j in range(i)]
        expected = near - sum(pairs) / len(pairs) / 2
        assert energy_score(draws, true)[image].item() == pytest.approx(expected, rel=1e-4)
    one = energy_score(draws[:1], true)
    assert torch.allclose(one, (draws[0] - true).norm(dim=1))


def test_the_right_distribution_has_the_best_score_and_coverage() -> None:
    random = torch.Generator().manual_seed(0)
    true = torch.randn(20_000, 2, generator=random)
    scores = {
        spread: float(
            energy_score(spread * torch.randn(8, 20_000, 2, generator=random), true).mean()
        )
        for spread in (0.5, 1.0, 1.5)
    }
    assert min(scores, key=scores.__getitem__) == 1.0
    assert scores[1.0] < float(energy_score(torch.zeros(1, 20_000, 2), true).mean())
    covered = is_covered(torch.randn(8, 20_000, 2, generator=random), true).float().mean()
    assert float(covered) == pytest.approx(7 / 9, abs=0.01)


def test_draws_are_scored_as_images(photos: Photos) -> None:
    place = (photos, "test", torch.device("cpu"))
    rows = dict(draw_rows(Dice(), *place, "dice"))  # type: ignore[arg-type]
    assert list(rows) == [
        "dice: one draw", "dice: mean of 8 draws", "dice: best of 8 draws, by the truth",
    ]  # fmt: skip
    errors: dict[str, float] = {}
    for title, images in rows.items():
        predict = stored(images)
        found = [(predict(batch), batch.rgb) for batch in batches(*place, "")]  # type: ignore[arg-type]
        error = [float((out - true).square().mean()) * len(true) for out, true in found]
        errors[title] = sum(error) / len(photos.split("test"))
        assert all(out.shape == true.shape for out, true in found)
    one, mean, best = errors.values()
    assert mean < one
    assert best < one
