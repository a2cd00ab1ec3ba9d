"""Scores of a colorizer, as a run directory holds them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# The name of the real images' row, which references.json and every table end with.
REAL = "real images"


class Estimate(NamedTuple):
    """A number with the ends of its 95 % confidence interval; None where it is infinite."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, value: float, resampled: Array) -> "Estimate":
        """The percentiles of the resampled values."""
        if not math.isfinite(value):
            return cls(None, None, None)
        low, high = np.percentile(resampled[np.isfinite(resampled)], (2.5, 97.5))
        return cls(float(value), float(low), float(high))

    @classmethod
    def normal(cls, value: float, resampled: Array) -> "Estimate":
        """1.96 standard deviations of the resampled values, each way; at least 0."""
        half = 1.96 * float(resampled.std(ddof=1))
        return cls(value, max(0.0, value - half), value + half)


# reading -> subset -> metric -> (value, low, high)
Readings = dict[str, dict[str, dict[str, Estimate]]]


class Pictures(NamedTuple):
    """What of an evaluation is drawn.

    Shapes: `indices` int64 (3 * EXTREMES,), the best, the median and the worst by ΔE00; `predicted`
    and `true` uint8 (3 * EXTREMES, 3, H, W); `ab` and `real_ab` int64 (BINS * BINS,), pixels.
    """

    indices: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.uint8]
    true: npt.NDArray[np.uint8]
    ab: npt.NDArray[np.int64]
    real_ab: npt.NDArray[np.int64]


@dataclass
class Evaluated:
    """The numbers of a colorizer.

    Args:
        readings: every metric with its interval, for each reading and subset.
        classes: class name to metric to value, of the output as it is.
        by_chroma: lists of the same length, for each bin of true chroma: its pixels' mean chroma,
            their mean ΔE00 and their mean predicted chroma.
        extras: of a stochastic colorizer, diversity and the error of the best of its samples; the
            learned 2AFC where it was asked for.
    """

    readings: Readings
    classes: dict[str, dict[str, float]]
    by_chroma: dict[str, list[float]]
    extras: dict[str, float]

    @property
    def headline(self) -> dict[str, float | None]:
        """Metric to value, over all images, of the output as it is."""
        return {name: e.value for name, e in self.readings["raw"]["all"].items()} | self.extras

    def to_json(self) -> dict[str, Any]:
        """As it is written down."""
        return {
            "readings": self.readings,
            "classes": self.classes,
            "by_chroma": self.by_chroma,
            "extras": self.extras,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Evaluated":
        """What `to_json` gave."""
        readings = {
            reading: {
                subset: {name: Estimate(*values) for name, values in metrics.items()}
                for subset, metrics in subsets.items()
            }
            for reading, subsets in content["readings"].items()
        }
        return cls(readings, content["classes"], content["by_chroma"], content["extras"])


@dataclass
class Evaluation:
    """A run under the whole protocol.

    Args:
        own: its numbers.
        references: those of the baselines, a ceiling and, last, the real images.
        about: what was scored, and by which judges.
    """

    own: Evaluated
    references: dict[str, Evaluated]
    about: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it is written down."""
        rows = {name: row.to_json() for name, row in self.references.items()}
        return {**self.about, "own": self.own.to_json(), "references": rows}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Evaluation":
        """What `to_json` gave."""
        rows = {k: Evaluated.from_json(v) for k, v in content.pop("references").items()}
        return cls(Evaluated.from_json(content.pop("own")), rows, content)
