import json
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from colorizer.color import luma, rgb_to_chroma, rgb_to_lab
from colorizer.colorizer import Colorizer, Sampling
from colorizer.data import CIFAR10, Batch, Photos, Split, SplitName
from colorizer.errors import UserError
from colorizer.evaluation.images import Panel, score_images
from colorizer.evaluation.learned_2afc import DISCRIMINATORS, learned_2afc
from colorizer.evaluation.readings import is_chromatic, luminance_put_back
from colorizer.evaluation.references import References, evaluate, reference_rows
from colorizer.evaluation.sanity import ALTERATIONS
from colorizer.evaluation.summary import resamples
from colorizer.judge import load_judges
from colorizer.metrics import Estimate, Fidelity, frechet
from colorizer.metrics.ab_divergence import BINS, ABDivergence, ab_histograms
from colorizer.models import UNet
from colorizer.representations import YCbCr
from colorizer.runs import Scores
from tests.conftest import CIFAR10_ROOT


def test_luminance_put_back_keeps_the_chroma(rgb: torch.Tensor) -> None:
    darker = rgb * 0.6
    gray = luma(rgb)
    found = luminance_put_back(darker, gray)
    inside = ((found > 0.01) & (found < 0.99)).all(1)
    assert (luma(found) - gray).squeeze(1)[inside].abs().max() < 0.005
    difference = (rgb_to_chroma(found) - rgb_to_chroma(darker)).abs().amax(1)
    assert difference[inside].max() < 0.005


def test_gray_images_are_not_chromatic(rgb: torch.Tensor) -> None:
    assert not is_chromatic(luma(rgb).expand(-1, 3, -1, -1)).any()
    red = torch.tensor([0.8, 0.2, 0.2]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert is_chromatic(red).all()


def test_a_histogram_counts_every_pixel(rgb: torch.Tensor) -> None:
    counts = ab_histograms(rgb_to_lab(rgb))
    assert counts.shape == (len(rgb), BINS * BINS)
    assert (counts.sum(1) == 32 * 32).all()
    lab = torch.tensor([50.0, -4.0, 12.0]).view(1, 3, 1, 1)
    (index,) = ab_histograms(lab)[0].nonzero()
    assert divmod(int(index), BINS) == (11, 12)  # around a = 0 and b = 10


def test_divergence_is_between_0_and_1() -> None:
    def divergence(p: np.ndarray, q: np.ndarray) -> float:
        return float(ABDivergence().of_mean(np.concatenate((p, q))))

    p = np.array([1.0, 1.0, 0.0, 0.0])
    assert divergence(p, 3 * p) == 0
    assert divergence(p, p[::-1].copy()) == pytest.approx(1)
    # By hand: halves overlap.
    q = np.array([0.0, 1.0, 1.0, 0.0])
    assert divergence(p, q) == pytest.approx(0.5)


def test_an_interval_is_that_of_a_mean() -> None:
    values = np.random.default_rng(3).normal(5, 2, 400)
    sampled = resamples(400) @ values / 400
    found = Estimate.percentile(values.mean(), sampled)
    assert found.low is not None
    assert found.high is not None
    half = 1.96 * values.std() / math.sqrt(400)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)
    assert Estimate.percentile(math.inf, sampled) == (None, None, None)


def nobody(data: Photos) -> Panel:
    none = np.zeros((len(data.split("test")), 0), np.bool_)
    return Panel([], none, none)


def test_image_by_image_is_the_same_as_all_at_once(photos: Photos) -> None:
    colorizer = Colorizer(UNet(2, [4, 8]), YCbCr()).eval()
    scores = score_images(
        lambda batch: colorizer(batch.gray), photos, "test", nobody(photos), "unet"
    )["raw"]
    true = photos.split("test").images.float() / 255
    expected = Fidelity()
    with torch.no_grad():
        expected.update(colorizer(luma(true)), true, luma(true))
    found = {name: float(values.mean()) for name, values in scores.values.items()}
    found["psnr"] = -10 * math.log10(found["mse"])
    values = expected.compute()
    assert {name: found[name] for name in values} == pytest.approx(values, rel=1e-4)
    assert scores.by_chroma[0].sum() == len(true) * 32 * 32
    errors = scores.by_chroma[2].sum() / scores.by_chroma[0].sum()
    assert errors == pytest.approx(values["delta_e"], rel=1e-4)


class Dice(torch.nn.Module):
    """A stochastic colorizer: the same chroma everywhere, drawn anew for each sample."""

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        return gray.expand(-1, 3, -1, -1)

    def sample(self, gray: torch.Tensor, k: int, generator: torch.Generator) -> torch.Tensor:
        tint = torch.rand(k, len(gray), 3, 1, 1, generator=generator)
        return (gray + 0.2 * (tint - 0.5)).clamp(0, 1)


def test_samples_of_a_stochastic_colorizer(photos: Photos) -> None:
    around = reference_rows(photos, "test", baselines=())
    dice = Dice()
    assert isinstance(dice, Sampling)
    extras = around.score(dice, "dice")[0].extras
    again = around.score(dice, "dice")[0].extras
    assert extras == again
    assert extras["diversity"] > 5
    raw = around.score(Colorizer(UNet(2, [4, 8]), YCbCr()).eval(), "unet")[0]
    assert set(raw.extras) == {"energy_score"}


def test_one_image_and_a_class_without_images(photos: Photos) -> None:
    """Of a single gray image there are numbers, and a record that can be written."""

    class One(Photos):
        classes = ("there", "not there")

        def load_splits(self) -> dict[SplitName, Split]:
            gray = torch.full((1, 3, 32, 32), 90, dtype=torch.uint8)
            splits = dict(super().load_splits())
            splits["test"] = Split(gray, torch.zeros(1, dtype=torch.int64))
            return splits

    record, pictures = evaluate(Colorizer(UNet(2, [4, 8]), YCbCr()).eval(), One(), "test")
    assert list(record.own.classes) == ["there"]
    assert list(record.own.readings["raw"]) == ["all"]
    assert record.own.headline["mse"] is not None
    json.dumps(record.to_json(), allow_nan=False)
    assert pictures.predicted.shape == (3, 3, 32, 32)


# --- what each number can see ---


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[References]:
    """450 validation images and the shipped judges; intervals of FD from fewer resamplings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frechet, "RESAMPLES", 5)
        yield _around()


def _around() -> References:
    data = CIFAR10(CIFAR10_ROOT, download=False, val_images=450)
    return reference_rows(data, "val", load_judges(), baselines=["gray_copy"])


@pytest.fixture(scope="module")
def altered(around: References) -> dict[str, Scores]:
    def score(name: str) -> Scores:
        return around.score_function(lambda batch: ALTERATIONS[name](batch.rgb), name, ["raw"])

    return {name: score(name) for name in ALTERATIONS}


def value(row: Scores, metric: str, reading: str = "raw", subset: str = "all") -> float:
    found = row.readings[reading][subset][metric].value
    assert found is not None
    return found


@pytest.mark.cifar10
def test_real_images_are_the_aim(altered: dict[str, Scores], around: References) -> None:
    real = altered["real images"]
    for subset in ("all", "chromatic"):
        assert value(real, "recovered", subset=subset) == pytest.approx(100)
        assert value(real, "delta_cf", subset=subset) == 0
        assert value(real, "ab_divergence", subset=subset) == 0
    floor = value(real, "fd_cifar")
    assert all(value(row, "fd_cifar") >= floor for row in altered.values())
    # 450 images hardly determine 257 dimensions: far from the 0.3 of 10,000.
    assert 1 < floor < value(altered["gray"], "fd_cifar") / 2
    assert value(real, "semantic_accuracy") > 89
    assert value(real, "recovered_imagenet") == pytest.approx(100)
    floor_imagenet = value(real, "fd_imagenet")
    assert all(value(row, "fd_imagenet") >= floor_imagenet for row in altered.values())
    assert floor_imagenet < value(altered["gray"], "fd_imagenet") / 1.5
    kept = value(around.rows["real images"], "fd_cifar")
    assert floor == pytest.approx(kept, rel=1e-6)
    # Equal in every resampling.
    assert real.readings["raw"]["all"]["recovered"].low == pytest.approx(100)


@pytest.mark.cifar10
def test_gray_recovers_nothing(altered: dict[str, Scores], around: References) -> None:
    gray = altered["gray"]
    assert value(gray, "recovered") == pytest.approx(0, abs=1e-6)
    assert value(gray, "colorfulness") == pytest.approx(0, abs=1e-3)
    real = value(altered["real images"], "semantic_accuracy")
    assert 5 < real - value(gray, "semantic_accuracy") < 20
    assert value(around.rows["gray_copy"], "recovered") == pytest.approx(0, abs=1e-6)
    assert value(gray, "ab_divergence") > 0.4
    ceiling = value(gray, "fd_cifar")
    assert ceiling > 2 * value(altered["real images"], "fd_cifar")


@pytest.mark.cifar10
def test_every_alteration_moves_the_right_numbers(altered: dict[str, Scores]) -> None:
    real, shuffled = altered["real images"], altered["colours of another image"]
    # The right colours in the wrong places: the histogram is blind to it, the judges are not.
    assert value(shuffled, "ab_divergence") < 0.02
    assert abs(value(shuffled, "delta_cf")) < 3
    assert value(shuffled, "recovered") < 60
    assert value(shuffled, "delta_e") > 10
    cast, half, blurred = (
        altered[name] for name in ("colour cast", "half saturated", "chroma blurred")
    )
    assert value(cast, "ab_divergence") > 0.05
    assert value(cast, "fd_cifar") > value(real, "fd_cifar")
    assert value(half, "delta_cf") == pytest.approx(-value(real, "colorfulness") / 2, rel=0.05)
    assert value(half, "ab_divergence") > 0.02
    assert value(blurred, "delta_cf") < -1
    assert value(blurred, "fd_cifar") > 1.2 * value(real, "fd_cifar")
    assert value(shuffled, "recovered_imagenet") < 60
    assert value(cast, "fd_imagenet") > value(real, "fd_imagenet")
    # All have the true luminance but for clipping, and lie inside their own intervals.
    for row in altered.values():
        for name, (middle, low, high) in row.readings["raw"]["all"].items():
            if middle is not None and low is not None and high is not None:
                assert low <= middle <= high, name
        assert value(row, "luma_error") < 0.01


@pytest.mark.cifar10
def test_too_few_images_for_a_statistic(cifar10: CIFAR10) -> None:
    few = CIFAR10(CIFAR10_ROOT, download=False, val_images=200)
    with pytest.raises(UserError, match=r"needs at least 257 chromatic images.*200 val images"):
        reference_rows(few, "val", load_judges(), baselines=())
    images = cifar10.split("test").images[:100]
    with pytest.raises(UserError, match="the learned 2AFC needs at least 1000 images"):
        learned_2afc(images, images)


@pytest.mark.cifar10
@pytest.mark.slow
@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_a_discriminator_tells_gray_but_not_a_copy(cifar10: CIFAR10, name: str) -> None:
    true = cifar10.split("test").images[:1200]
    assert learned_2afc(true, true, name, seeds=[0], steps=2) == [50.0]
    gray = (luma(true.float() / 255) * 255).round().to(torch.uint8).expand(-1, 3, -1, -1)
    found = learned_2afc(gray, true, name, seeds=[0], steps=60)
    assert found[0] > 90
    assert learned_2afc(gray, true, name, seeds=[0, 1], steps=2) == [
        *learned_2afc(gray, true, name, seeds=[0], steps=2),
        *learned_2afc(gray, true, name, seeds=[1], steps=2),
    ]


def test_a_batch_of_other_colours_has_their_luminance(rgb: torch.Tensor) -> None:
    batch = Batch(luma(rgb), rgb, torch.zeros(len(rgb), dtype=torch.int64))
    altered = ALTERATIONS["colours of another image"](batch.rgb)
    inside = ((altered > 0) & (altered < 1)).all(1)
    assert (luma(altered) - batch.gray).squeeze(1)[inside].abs().max() < 1e-5


def test_near_duplicates_are_left_out_of_a_reading_of_their_own(photos: Photos) -> None:
    class Twins(Photos):
        def near_duplicates(self, name: SplitName) -> list[int]:
            return [0, 2] if name == "test" else []

    record, _ = evaluate(Colorizer(UNet(2, [4, 8]), YCbCr()).eval(), Twins(), "test")
    everything, without = (record.own.readings["raw"][name] for name in ("all", "no_twins"))
    assert set(without) == set(everything)
    assert without["mse"].value != everything["mse"].value
    assert "no_twins" not in record.own.readings["luminance"]
    plain, _ = evaluate(Colorizer(UNet(2, [4, 8]), YCbCr()).eval(), photos, "test")
    assert "no_twins" not in plain.own.readings["raw"]


def test_cifar10_has_286() -> None:
    data = CIFAR10("nowhere", download=False)
    found = data.near_duplicates("test")
    assert len(set(found)) == 286
    assert 0 <= min(found) < max(found) < 10_000
    assert list(data.near_duplicates("val")) == []
