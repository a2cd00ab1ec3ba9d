"""Numbers with confidence intervals, from images that were scored one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from colorizer.data import ColorizationData
from colorizer.evaluation.images import ImageScores, Panel
from colorizer.evaluation.readings import TITLES
from colorizer.metrics import Estimate, Sample, image_metrics
from colorizer.metrics.tables import shown
from colorizer.runs.scores import Readings, Scores

# Resamplings of the images (Efron and Tibshirani 1993).
RESAMPLES = 1000


@dataclass
class Yardstick:
    """The judges, the chromatic images and the classes of a split.

    Args:
        panel: the judges.
        chromatic: which images have colour, bool (N,).
        labels: classes, (N,).
        twins: which images have a near-duplicate among the training images, bool (N,).
    """

    panel: Panel
    chromatic: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64]
    twins: npt.NDArray[np.bool_]

    @property
    def subsets(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Which images each subset holds, bool (N,); `no_twins` where some have twins."""
        found = {"all": np.ones_like(self.chromatic), "chromatic": self.chromatic}
        return found | ({"no_twins": ~self.twins} if self.twins.any() else {})


def summarise(
    scores: Mapping[str, ImageScores], yardstick: Yardstick, data: ColorizationData
) -> Scores:
    """Summarise an output that was scored image by image.

    Chromatic images are left out where there are fewer than 2: they have no interval.
    """
    readings: Readings = {reading: {} for reading in scores}
    subsets = [n for n, chosen in yardstick.subsets.items() if n == "all" or chosen.sum() > 1]
    parts = [part for part in product(scores, subsets) if part in TITLES]
    for reading, subset in tqdm(parts, "confidence intervals", leave=False):
        readings[reading][subset] = estimate(scores[reading], yardstick, subset)
    raw = scores["raw"]
    every = _sample(yardstick, "all")
    replicates = {
        metric.name: metric.resampled(raw.values[metric.name], every).astype(np.float32)
        for metric in image_metrics(yardstick.panel.families)
    }
    by_class = {
        name: _of_class(raw, yardstick, yardstick.labels == label)
        for label, name in enumerate(data.classes)
        if (yardstick.labels == label).any()
    }
    pixels, *sums = raw.by_chroma
    there = pixels > 0
    by_chroma = {
        name: (of_bins[there] / pixels[there]).tolist()
        for name, of_bins in zip(("chroma", "delta_e", "predicted"), sums, strict=True)
    }
    return Scores(readings, by_class, by_chroma, {}, raw.by_scale, replicates)


def estimate(scores: ImageScores, yardstick: Yardstick, subset: str = "all") -> dict[str, Estimate]:
    """Estimate all metrics of one reading, over one subset of the images."""
    chosen, sample = yardstick.subsets[subset], _sample(yardstick, subset)
    found = {
        metric.name: metric.estimate(scores.values[metric.name][chosen], sample)
        for metric in image_metrics(yardstick.panel.families)
    }
    return {name: value for name, value in found.items() if value is not None}


def _sample(yardstick: Yardstick, subset: str) -> Sample:
    count = int(yardstick.subsets[subset].sum())
    return Sample(subset, resamples(count), yardstick.panel.judges)


def _of_class(
    raw: ImageScores, yardstick: Yardstick, chosen: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """The metrics that are shown by class; what the judges see in real and in gray images."""
    wanted = shown("classes")
    found = {
        metric.name: float(
            metric.of_mean(raw.values[metric.name][chosen].mean(0, dtype=np.float64))
        )
        for metric in image_metrics(yardstick.panel.families)
        if metric.name in wanted
    }
    own = yardstick.panel.of_family("own")
    if len(own):
        found["real"] = float(yardstick.panel.real[chosen][:, own].mean() * 100)
        found["gray"] = float(yardstick.panel.gray[chosen][:, own].mean() * 100)
    return found


@lru_cache(maxsize=4)
def resamples(count: int) -> npt.NDArray[np.float64]:
    """Bootstrap weights, always the same: how often each image is drawn, (RESAMPLES, count)."""
    random = np.random.default_rng(0)
    drawn = (
        np.bincount(random.integers(0, count, count), minlength=count) for _ in range(RESAMPLES)
    )
    return np.stack(list(drawn)).astype(np.float64)
