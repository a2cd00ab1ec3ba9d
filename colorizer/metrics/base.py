"""The base of metrics: name, title, digits, direction, and computation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from colorizer.color import delta_e_2000, rgb_to_lab
from colorizer.judge import Family, Judge

Array = npt.NDArray[np.floating]

# In this order in the tables of `colorizer evaluate`.
Kind = Literal["fidelity", "plausibility", "sampling", "discrimination", "objective"]

# Where a metric is shown, beside the table of a training and the CSV files: in the first table of
# `colorizer evaluate`, in its tables of the other readings, in tables over seeds, and by class.
Place = Literal["scores", "headline", "groups", "classes"]


class Views(NamedTuple):
    """Features and decisions of the judges of a family for a batch.

    Shapes: `features` float (B, judges * D), one judge behind the other; `correct`, `real` and
    `gray` bool (B, judges): whether a judge sees the right class in the output, in the real image
    and in the gray one.
    """

    features: Tensor
    correct: Tensor
    real: Tensor
    gray: Tensor


@dataclass
class Images:
    """A batch of outputs beside the true images; metrics share what is computed of them.

    Args:
        prediction: RGB (B, 3, H, W) in [0, 1], rounded to 8 bits.
        target: RGB (B, 3, H, W) in [0, 1].
        gray: the input, (B, 1, H, W) in [0, 1].
        target_lab: CIE Lab of `target`.
        views: what judges make of the outputs, by family; empty where there are no judges.
    """

    prediction: Tensor
    target: Tensor
    gray: Tensor
    target_lab: Tensor
    views: Mapping[Family, Views] = field(default_factory=dict)

    @cached_property
    def lab(self) -> Tensor:
        """CIE Lab of the outputs: (B, 3, H, W)."""
        return rgb_to_lab(self.prediction)

    @cached_property
    def delta_e(self) -> Tensor:
        """CIEDE2000 of every pixel: (B, H, W)."""
        return delta_e_2000(self.lab, self.target_lab)


class Estimate(NamedTuple):
    """A number with the ends of its 95 % confidence interval; None where it is infinite."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def percentile(cls, value: float, resampled: Array) -> "Estimate":
        """The 2.5th and the 97.5th percentile of the resampled values."""
        if not np.isfinite(value):
            return cls(None, None, None)
        low, high = np.percentile(resampled[np.isfinite(resampled)], (2.5, 97.5))
        return cls(float(value), float(low), float(high))

    @classmethod
    def normal(cls, value: float, resampled: Array) -> "Estimate":
        """1.96 standard deviations of the resampled values each way, at least 0.

        For distances between distributions: an image that is drawn twice adds a bias to them that
        is no error.
        """
        half = 1.96 * float(resampled.std(ddof=1))
        return cls(float(value), max(0.0, value - half), value + half)


@dataclass
class Sample:
    """The images that an estimate is made from.

    Args:
        subset: `all` or `chromatic`.
        weights: how often each of N images is drawn in each of R resamplings, float64 (R, N).
        judges: who looked at them.
    """

    subset: str
    weights: npt.NDArray[np.float64]
    judges: Sequence[Judge]

    def of_family(self, family: Family) -> list[Judge]:
        """The judges of one family."""
        return [judge for judge in self.judges if judge.family == family]


class Metric:
    """A number in tables: what it is called, and which way is better.

    A file of `colorizer/metrics/` registers a subclass with `register`; so does a module that an
    entry point of the group `colorizer.metrics` names.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    """Of its column."""
    digits: ClassVar[str] = ".4f"
    """A format specification, such as `.2f`."""
    better: ClassVar[Literal["min", "max"] | None] = None
    """None where the aim is the real images' value."""
    order: ClassVar[int] = 1000
    """Columns are sorted by it."""
    kind: ClassVar[Kind] = "fidelity"
    shown: ClassVar[frozenset[Place]] = frozenset({"scores", "groups"})
    interval: ClassVar[bool] = False
    """Whether tables show it with half the width of its confidence interval."""
    digits_over_seeds: ClassVar[int] = 0
    """More digits in tables over seeds, where differences are small."""


class ImageMetric(Metric):
    """A metric of images: a function of the mean, over images, of a number or a vector of each."""

    validation: ClassVar[bool] = True
    """Whether it is computed in every validation of a training, where `monitor` can name it."""
    family: ClassVar[Family | None] = None
    """Of the judges that it needs."""
    distance: ClassVar[bool] = False
    """Whether it is a distance between distributions, see `Estimate.normal`."""

    def values(self, images: Images) -> Tensor:
        """Return a number (B,), or a vector (B, D), for each image."""
        raise NotImplementedError

    def of_mean(self, mean: Array) -> Array:
        """Return the metric from the mean over images: (...,), or (..., D), -> (...,)."""
        return mean

    def value(self, values: npt.NDArray[np.float32], sample: Sample) -> float:
        """Return the metric of a sample; not a number where there is none.

        Args:
            values: of each image, (N,) or (N, D).
            sample: which images they are of.
        """
        return float(self.of_mean(values.astype(np.float64).mean(0)))

    def resampled(self, values: npt.NDArray[np.float32], sample: Sample) -> Array:
        """Return the metric of each resampling (Efron and Tibshirani 1993): (R,); see `value`."""
        # Of vectors in single precision, which is enough for the width of an interval.
        weights = sample.weights if values.ndim == 1 else sample.weights.astype(np.float32)
        means = weights @ (values.astype(np.float64) if values.ndim == 1 else values)
        return self.of_mean(means.astype(np.float64) / len(values))

    def estimate(self, values: npt.NDArray[np.float32], sample: Sample) -> Estimate | None:
        """Return the metric of a sample with its bootstrap confidence interval, see `value`.

        None where there is no such number.
        """
        value = self.value(values, sample)
        if np.isnan(value):
            return None
        make = Estimate.normal if self.distance else Estimate.percentile
        return make(value, self.resampled(values, sample))


class JudgedMetric(ImageMetric):
    """A metric of what judges make of images."""

    kind = "plausibility"
    shown = frozenset({"scores", "headline", "groups"})
    interval = True
    validation = False
    family: ClassVar[Family] = "own"

    def views(self, images: Images) -> Views:
        """Return what the judges of this metric's family make of a batch."""
        return images.views[self.family]


def per_image(values: Tensor) -> Tensor:
    """Return the mean of each image, float32: (B, ...) -> (B,)."""
    mean: Tensor = values.reshape(len(values), -1).mean(1, dtype=torch.float64).float()
    return mean
