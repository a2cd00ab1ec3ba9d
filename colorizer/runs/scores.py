"""Scores of a colorizer, as a run directory holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from colorizer.errors import UserError
from colorizer.files import atomic_write, read_arrays, read_object, write_json
from colorizer.metrics import Estimate
from colorizer.runs.contents import ByScale, Evaluation
from colorizer.runs.layout import EVALUATION, PICTURES, REPLICATES

Replicates = npt.NDArray[np.float32]

# The name of the real images' row, which every table ends with.
REAL = "real images"

# reading -> subset -> metric -> (value, low, high)
Readings = dict[str, dict[str, dict[str, Estimate]]]


class Pictures(NamedTuple):
    """The pictures and histograms of an evaluation.

    Shapes: `indices` int64 (3 * EXTREMES,), the best, the median and the worst by ΔE00; `predicted`
    and `true` uint8 (3 * EXTREMES, 3, H, W); `ab` and `real_ab` int64 (BINS * BINS,), pixels.
    """

    indices: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.uint8]
    true: npt.NDArray[np.uint8]
    ab: npt.NDArray[np.int64]
    real_ab: npt.NDArray[np.int64]


@dataclass
class Scores:
    """The numbers of a colorizer.

    Args:
        readings: every metric with its interval, for each reading and subset.
        classes: class name to metric to value, of the output as it is.
        by_chroma: lists of the same length, for each bin of true chroma: its pixels' mean chroma,
            their mean ΔE00 and their mean predicted chroma.
        by_scale: the error of the chroma over scales and images, and its detail, see
            `colorizer.evaluation.scales`; None in older records.
        replicates: metric to its values over the same resamplings of all images, of the output as
            it is, float32 (R,); what runs are compared by. In a file of their own.
        extras: of a stochastic colorizer, diversity and the error of the best of its samples; the
            learned 2AFC where it was asked for.
    """

    readings: Readings
    classes: dict[str, dict[str, float]]
    by_chroma: dict[str, list[float]]
    extras: dict[str, float]
    by_scale: ByScale | None = None
    replicates: Mapping[str, Replicates] = field(default_factory=dict, compare=False)

    @property
    def headline(self) -> dict[str, float | None]:
        """Metric to value, over all images, of the output as it is."""
        return {name: e.value for name, e in self.readings["raw"]["all"].items()} | self.extras

    def to_json(self) -> dict[str, Any]:
        """Return plain containers."""
        return {
            "readings": self.readings,
            "classes": self.classes,
            "by_chroma": self.by_chroma,
            "extras": self.extras,
            **({"by_scale": self.by_scale} if self.by_scale else {}),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Scores":
        """Read what `to_json` returned."""
        readings = {
            reading: {
                subset: {name: Estimate(*values) for name, values in metrics.items()}
                for subset, metrics in subsets.items()
            }
            for reading, subsets in content["readings"].items()
        }
        more = content.get("by_scale")
        return cls(readings, content["classes"], content["by_chroma"], content["extras"], more)


@dataclass
class ScoreRecord:
    """A run's scores, and what they are compared with: `evaluation.json`.

    Args:
        own: the run's.
        references: those of the baselines, a ceiling and, last, the real images.
        about: what was scored, and by which judges.
    """

    own: Scores
    references: dict[str, Scores]
    about: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return plain containers."""
        rows = {name: row.to_json() for name, row in self.references.items()}
        return {**self.about, "own": self.own.to_json(), "references": rows}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "ScoreRecord":
        """Read what `to_json` returned."""
        rows = {k: Scores.from_json(v) for k, v in content.pop("references").items()}
        return cls(Scores.from_json(content.pop("own")), rows, content)


def write_scores(record: ScoreRecord, pictures: Pictures, folder: Path) -> None:
    """Write a record as JSON, and what of it is drawn and resampled as .npz files."""
    for name, arrays in (
        (PICTURES, pictures._asdict()),
        (REPLICATES, dict(record.own.replicates)),
    ):
        with atomic_write(folder / name) as part, part.open("wb") as file:
            np.savez_compressed(file, **arrays)
    write_json(folder / EVALUATION, record.to_json())


def read_replicates(path: Path) -> dict[str, Replicates]:
    """Read the resampled values of an evaluation; empty where there is no such file.

    Raises:
        UserError: the file is damaged.
    """
    if not path.is_file():
        return {}
    try:
        found = read_arrays(path)
        if len({array.shape for array in found.values()}) > 1:
            raise ValueError
        return {name: array.astype(np.float32).reshape(-1) for name, array in found.items()}
    except Exception as error:
        raise UserError(f"{path} is cut short, or no replicates of an evaluation") from error


def read_scores(path: Path) -> ScoreRecord:
    """Read the record of an evaluation.

    Raises:
        UserError: the file is damaged.
    """
    content = read_object(path, Evaluation)
    for name, row in {"own": content["own"], **content["references"]}.items():
        if "all" not in row["readings"].get("raw", {}):
            raise UserError(f"{path} cannot be read: {name} has no scores of all images")
    return ScoreRecord.from_json(content)


def read_pictures(path: Path) -> Pictures | None:
    """Read the pictures of an evaluation; None where there is no such file.

    Raises:
        UserError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        return Pictures(**read_arrays(path))
    except Exception as error:
        raise UserError(f"{path} is cut short, or no pictures of an evaluation") from error
