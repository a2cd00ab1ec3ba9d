"""Fidelity, among it the protocol's table of baselines and ceilings, computed elsewhere."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch

from colorizer.color import luma
from colorizer.data import CIFAR10, ColorizationData, Photos
from colorizer.evaluation.cache import ReferenceCache
from colorizer.evaluation.ceilings import coarse_ab, grid_ab, real
from colorizer.evaluation.images import Panel, score_images
from colorizer.evaluation.references import baseline, reference_rows
from colorizer.metrics import Fidelity, image_metrics

# MSE, MAE, acc@2, acc@5, AuC, CIEDE2000, colorfulness; CIEDE2000 of the first 2,000 images.
CEILINGS = {
    "ab on a grid of 10": (grid_ab(10), 0.00031, 0.0126, 83.9, 100, 97.36, 3.05, 35.3),
    "ab at 16x16": (coarse_ab(16), 0.00025, 0.0079, 87.9, 98.5, 98.16, 1.74, 32.5),
    "ab at 8x8": (coarse_ab(8), 0.00073, 0.0137, 73.9, 94.4, 97.03, 2.99, 30.1),
}


def score(
    function: Callable[[torch.Tensor], torch.Tensor], data: ColorizationData, of_true: bool = False
) -> dict[str, float]:
    """The numbers of a function of the gray, or of the true, images of the test split."""
    nobody = np.zeros((len(data.split("test")), 0), np.bool_)
    scores = score_images(
        lambda batch: function(batch.rgb if of_true else batch.gray),
        data,
        "test",
        Panel([], nobody, nobody),
        "scoring",
        ["raw"],
    )["raw"]
    return {
        metric.name: float(metric.of_mean(scores.values[metric.name].mean(0, dtype=np.float64)))
        for metric in image_metrics()
    }


NAMES = ("mse", "mae", "acc2", "acc5", "auc", "delta_e", "colorfulness")


@pytest.mark.cifar10
def test_gray_copy_to_the_digits_shown_and_in_time(cifar10: CIFAR10) -> None:
    gray_copy = baseline("gray_copy", cifar10)
    cifar10.split("test")
    started = time.process_time()
    found = score(gray_copy, cifar10)
    assert time.process_time() - started < 40
    digits = {
        "mse": (".5f", "0.00662"),
        "mae": (".4f", "0.0500"),
        "psnr": (".2f", "21.79"),
        "acc2": (".1f", "26.4"),
        "acc5": (".1f", "55.8"),
        "auc": (".2f", "89.94"),
        "delta_e": (".2f", "10.49"),
        "colorfulness": (".0f", "0"),
    }
    shown = {name: format(found[name], form) for name, (form, _) in digits.items()}
    assert shown == {name: value for name, (_, value) in digits.items()}


@pytest.mark.cifar10
@pytest.mark.slow  # 30 s
@pytest.mark.parametrize("name", CEILINGS)
def test_ceilings_within_a_hundredth(name: str, cifar10: CIFAR10) -> None:
    function, *expected = CEILINGS[name]
    found = score(function, cifar10, of_true=True)
    for metric, value in zip(NAMES, expected, strict=True):
        # 1 %, or half of the last digit that the table shows where that is more.
        slack = {"mse": 5e-6, "mae": 5e-5}.get(metric, 0)
        assert found[metric] == pytest.approx(value, rel=0.01, abs=slack), metric


@pytest.mark.cifar10
@pytest.mark.slow  # 18 s
def test_real_images_are_perfect(cifar10: CIFAR10) -> None:
    found = score(real, cifar10, of_true=True)
    assert found["mse"] == 0
    assert found["psnr"] == float("inf")
    assert found["colorfulness"] == pytest.approx(33.65, abs=0.005)


@pytest.mark.cifar10
@pytest.mark.slow  # 25 s
def test_what_a_network_has_to_beat(cifar10: CIFAR10) -> None:
    found = score(baseline("gray_lookup", cifar10), cifar10)
    assert found["psnr"] == pytest.approx(22.14, abs=0.01)


def test_rows_to_compare_with_start_with_baselines_and_end_with_the_real_images(
    photos: Photos,
) -> None:
    rows = {name: row.headline for name, row in reference_rows(photos, "test").rows.items()}
    names = ["gray_copy", "mean_chroma", "gray_lookup", "true ab at half size", "real images"]
    assert list(rows) == names
    assert rows["real images"]["psnr"] is None
    ReferenceCache.forget()
    started = time.perf_counter()
    again = reference_rows(photos, "test").rows
    assert {name: row.headline for name, row in again.items()} == rows
    assert time.perf_counter() - started < 5  # they were cached in the user's folder


def test_a_score_is_the_metrics_over_the_split(photos: Photos) -> None:
    found = score(lambda gray: gray.expand(-1, 3, -1, -1), photos)
    true = photos.split("test").images.float().div(255)
    gray = luma(true)
    expected = Fidelity()
    expected.update(gray.expand(-1, 3, -1, -1), true, gray)
    values = expected.compute()
    assert {name: found[name] for name in values} == pytest.approx(values, rel=1e-5)


def test_a_model_is_anything_from_gray_to_rgb(photos: Photos) -> None:
    class Sepia(torch.nn.Module):
        def forward(self, gray: torch.Tensor) -> torch.Tensor:
            return (gray * torch.tensor([1.0, 0.9, 0.7]).view(1, 3, 1, 1)).clamp(0, 1)

    assert score(Sepia(), photos)["colorfulness"] > 5
