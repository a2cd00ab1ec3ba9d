"""Numbers with bootstrap confidence intervals, from images that were scored one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from colorizer.errors import UserError
from colorizer.evaluation.histogram import divergence
from colorizer.evaluation.images import ImageScores
from colorizer.judge import FrechetDistance, Gaussian, Judge
from colorizer.runs import Estimate

# Resamplings of the images (Efron and Tibshirani 1993); of the Fréchet distance, at 30 ms each,
# only as many as a standard deviation needs.
RESAMPLES, FRECHET_RESAMPLES = 1000, 40

# Plain means over images.
MEANS = ("mse", "mae", "ssim", "delta_e", "acc2", "acc5", "auc", "colorfulness", "luma_error")

Array = npt.NDArray[np.float64]


@dataclass
class Yardstick:
    """What the colours of a split are measured by.

    Args:
        judges: who looked.
        real: the real images' own scores.
        gray: whether each judge sees the right class in the gray images, bool (judges, N).
        chromatic: which images have colour, bool (N,).
        labels: classes (N,).
    """

    judges: Sequence[Judge]
    real: ImageScores
    gray: npt.NDArray[np.bool_]
    chromatic: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64]

    @property
    def subsets(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Which images each subset holds, bool (N,)."""
        return {"all": np.ones_like(self.chromatic), "chromatic": self.chromatic}


def estimate(scores: ImageScores, yardstick: Yardstick, subset: str = "all") -> dict[str, Estimate]:
    """All metrics of one reading, over one subset of the images.

    | metric | unit | better |
    | --- | --- | --- |
    | those of `Fidelity` | | |
    | delta_cf | colorfulness minus the real images' | 0 |
    | ab_divergence | bits, Jensen-Shannon, to the real images' ab | lower |
    | semantic_accuracy | percent, mean of the judges | like the real images' |
    | recovered | percent of what the judges lose on gray images | higher |
    | fd_cifar | squared distance in the judges' features, their mean | lower |

    The judges' are there where judges looked; recovered where they see less in gray images. The
    intervals of the Fréchet distance and of the divergence are by the spread of the resampled ones:
    an image that is drawn twice adds a bias to them that is no error.

    Raises:
        UserError: fewer images than a statistic needs.
    """
    chosen = yardstick.subsets[subset]
    count = int(chosen.sum())
    if count < 2:
        raise UserError(f"an interval needs at least 2 {subset} images; there are {count}")
    weights = resamples(count)

    def mean(values: npt.NDArray[np.generic]) -> tuple[float, Array]:
        own = values[chosen].astype(np.float64)
        return float(own.mean()), weights @ own / count

    found = {name: mean(scores.values[name]) for name in MEANS}
    found["psnr"] = _map(_psnr, found["mse"])
    colorfulness = scores.values["colorfulness"] - yardstick.real.values["colorfulness"]
    found["delta_cf"] = mean(colorfulness)
    both = (scores.histograms, yardstick.real.histograms)
    own, real = (histograms[chosen].astype(np.float32) for histograms in both)
    light = weights.astype(np.float32)
    distances = {}
    distances["ab_divergence"] = (
        float(divergence(own.sum(0, dtype=np.float64), real.sum(0, dtype=np.float64))),
        divergence((light @ own).astype(np.float64), (light @ real).astype(np.float64)),
    )
    if len(scores.correct):
        accuracies = [mean(correct) for correct in scores.correct]
        found["semantic_accuracy"] = _map(lambda *each: 100 * _mean(*each), *accuracies)
        seen = [
            (own, mean(real), mean(gray))
            for own, real, gray in zip(
                accuracies, yardstick.real.correct, yardstick.gray, strict=True
            )
        ]
        # Without a judge who loses on gray there is nothing to recover.
        if all(real[0] > gray[0] for _, real, gray in seen):
            found["recovered"] = _map(_mean, *(_map(_recovered, *each) for each in seen))
        distances["fd_cifar"] = _map(
            _mean,
            *(
                _frechet(features[chosen], judge.distances[subset])
                for features, judge in zip(scores.features, yardstick.judges, strict=True)
            ),
        )
    return {
        **{name: Estimate.of(*values) for name, values in found.items()},
        **{name: Estimate.normal(*values) for name, values in distances.items()},
    }


@cache
def resamples(count: int) -> Array:
    """How often each image is drawn in each resampling: (RESAMPLES, count), always the same."""
    random = np.random.default_rng(0)
    drawn = (
        np.bincount(random.integers(0, count, count), minlength=count) for _ in range(RESAMPLES)
    )
    return np.stack(list(drawn)).astype(np.float64)


def _map(
    function: Callable[..., float | Array], *values: tuple[float, Array]
) -> tuple[float, Array]:
    """A function of some numbers, of their estimates and of each resampling."""
    points, samples = zip(*values, strict=True)
    return float(function(*points)), np.asarray(function(*samples))


def _mean(*each: float | Array) -> float | Array:
    return sum(each) / len(each)


def _psnr(mse: float | Array) -> Array:
    with np.errstate(divide="ignore"):
        decibel: Array = -10 * np.log10(mse)
    return decibel


def _recovered(own: float | Array, real: float | Array, gray: float | Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        percent: Array = 100 * np.divide(np.subtract(own, gray), np.subtract(real, gray))
    return percent


def _frechet(features: npt.NDArray[np.float32], distance: FrechetDistance) -> tuple[float, Array]:
    value = distance(Gaussian.of(features))
    weights = resamples(len(features))[:FRECHET_RESAMPLES]
    resampled = np.array([distance(Gaussian.of(features, one)) for one in weights])
    return value, resampled
