"""Runs that differ in the seed alone, taken together; and how the groups differ, seed by seed."""

import csv
import math
import statistics
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from colorizer.config import SHARED, common_monitor
from colorizer.metrics import metrics
from colorizer.metrics.tables import shown, style_of
from colorizer.report.comparison import Difference, paired
from colorizer.runs import Run
from colorizer.runs.names import describe
from colorizer.runs.scores import Replicates
from colorizer.statistics import SIGNIFICANT, holm

SEED = "seed"


class Group:
    """The runs of one setting.

    Args:
        settings: what was varied, without the seed.
        runs: one for each seed.
    """

    def __init__(self, settings: dict[str, str], runs: Sequence[Run]) -> None:
        self.settings = settings
        self.runs = list(runs)

    @cached_property
    def _seeds(self) -> list[int]:
        return [int(run.config.seed) for run in self.runs]

    @property
    def seeds(self) -> int:
        """The number of seeds; of a seed that is there twice, the last run counts."""
        return len(set(self._seeds))

    @cached_property
    def values(self) -> dict[str, dict[int, float]]:
        """Metric name to seed to value; what has no number is left out."""
        found: dict[str, dict[int, float]] = {}
        for seed, run in zip(self._seeds, self.runs, strict=True):
            for key, value in run.numbers.items():
                if key.startswith(("val/", "test/", "train/")) and isinstance(value, int | float):
                    found.setdefault(key, {})[seed] = float(value)
        return found

    def mean(self, metric: str) -> float | None:
        """Mean over the seeds; None where no run has it."""
        values = self.values.get(metric)
        return statistics.fmean(values.values()) if values else None

    def std(self, metric: str) -> float | None:
        """Sample standard deviation over the seeds; None for fewer than two."""
        values = self.values.get(metric, {})
        return statistics.stdev(values.values()) if len(values) > 1 else None

    def replicates(self, metric: str) -> dict[int, Replicates]:
        """Seed to a metric's values over resamplings of the test images, where they are known."""
        split, _, name = metric.partition("/")
        if split != "test":
            return {}
        runs = zip(self._seeds, self.runs, strict=True)
        found = {seed: run.replicates.get(name) for seed, run in runs}
        return {seed: values for seed, values in found.items() if values is not None}

    def minus(self, other: "Group", metric: str) -> Difference | None:
        """Difference to another group, see `paired`."""
        return paired(
            self.values.get(metric, {}),
            other.values.get(metric, {}),
            self.replicates(metric),
            other.replicates(metric),
        )


class Groups:
    """The groups of some runs, the best by the monitored validation metric first.

    Args:
        runs: finished, on the same data.
        varied: what was varied, of each run.
        split: whose scores are shown, `val` or `test`.
    """

    def __init__(
        self, runs: Sequence[Run], varied: Sequence[dict[str, str]], split: str = "test"
    ) -> None:
        self.monitor = common_monitor([run.config for run in runs]) or SHARED
        self.keys = sorted({key for settings in varied for key in settings} - {SEED})
        found: dict[tuple[str, ...], list[Run]] = {}
        for run, settings in zip(runs, varied, strict=True):
            found.setdefault(tuple(settings.get(key, "") for key in self.keys), []).append(run)
        self.groups = [
            Group(dict(zip(self.keys, values, strict=True)), members)
            for values, members in found.items()
        ]
        sign = -1 if self.monitor != SHARED and runs[0].config.monitor_mode == "max" else 1
        self.groups.sort(key=lambda group: sign * (group.mean(self.monitor) or math.inf * sign))
        self.split = split

    @property
    def several_seeds(self) -> bool:
        """True if a group has several seeds."""
        return any(group.seeds > 1 for group in self.groups)

    @property
    def metrics(self) -> list[str]:
        """The metrics of the lines, by full name."""
        there = {metric for group in self.groups for run in group.runs for metric in run.numbers}
        own = [
            name for name in (f"{self.split}/{name}" for name in shown("groups")) if name in there
        ]
        return [self.monitor, *(name for name in own if name != self.monitor)]

    @property
    def titles(self) -> list[str]:
        """Column titles of `lines`."""
        return [*(self.keys or ["run"]), "n", *self._metric_titles()]

    def _metric_titles(self) -> list[str]:
        shown = [style_of(name.partition("/")[2])[0] for name in self.metrics]
        return [f"val {shown[0]}", *shown[1:]]

    def lines(self) -> list[list[str]]:
        """Mean ± standard deviation, one line for each group."""
        return [
            [*self._names(group), str(group.seeds), *(_spread(group, m) for m in self.metrics)]
            for group in self.groups
        ]

    def name(self, group: Group) -> str:
        """What tells a group from the others: `cnn, lr=0.01`."""
        settings = [f"{key}={value}" for key, value in group.settings.items() if value]
        return describe(settings) if settings else ", ".join(self._names(group))

    def _names(self, group: Group) -> list[str]:
        if self.keys:
            return [short_number(group.settings[key]) for key in self.keys]
        parts = [part for part in group.runs[0].name.split(", ") if not part.startswith("seed=")]
        return [", ".join(parts) or "all"]

    @property
    def difference_titles(self) -> list[str]:
        """Column titles of `differences`."""
        return [*(self.keys or ["run"]), "pairs", *self._metric_titles(), "not told apart"]

    def differences(self) -> list[list[str]]:
        """Each group minus the best one, over the seeds that both have.

        The last column names the metrics in which a group cannot be told from the best one, by
        probabilities that are adjusted for the number of groups (Holm 1979).
        """
        best, *others = self.groups
        found = {metric: [group.minus(best, metric) for group in others] for metric in self.metrics}
        alike: dict[int, list[str]] = {}
        for metric, title in zip(self.metrics, self._metric_titles(), strict=True):
            known = {n: d.p for n, d in enumerate(found[metric]) if d and d.p is not None}
            for number, p in zip(known, holm(list(known.values())), strict=True):
                if p >= SIGNIFICANT:
                    alike.setdefault(number, []).append(title)
        lines = []
        for number, group in enumerate(others):
            own = {metric: found[metric][number] for metric in self.metrics}
            pairs = max((d.pairs for d in own.values() if d), default=0)
            cells = [d.text(digits_of(metric)) if d else "" for metric, d in own.items()]
            lines.append(
                [*self._names(group), str(pairs), *cells, ", ".join(alike.get(number, []))]
            )
        return lines

    def write_csv(self, folder: Path) -> list[Path]:
        """Write summary.csv, and differences.csv between any two groups where seeds allow."""
        metrics = sorted({metric for group in self.groups for metric in group.values})
        rows = []
        for group in self.groups:
            numbers = [f(metric) for metric in metrics for f in (group.mean, group.std)]
            rows.append([*group.settings.values(), *numbers, group.seeds])
        heads = [f"{metric}_{what}" for metric in metrics for what in ("mean", "std")]
        paths = [_write(folder / "summary.csv", [*self.keys, *heads, "n"], rows)]
        rows = []
        for second, first in ((b, a) for a, b in combinations(self.groups, 2)):
            for metric in metrics:
                found = second.minus(first, metric)
                if found:
                    names = [*second.settings.values(), *first.settings.values()]
                    ends = (found.mean, found.low, found.high, found.pairs, found.p)
                    rows.append([*names, metric, *ends])
        if rows:
            heads = [*self.keys, *(f"minus {key}" for key in self.keys)]
            heads += ["metric", "difference", "low95", "high95", "pairs", "p"]
            paths.append(_write(folder / "differences.csv", heads, rows))
        return paths


def short_number(text: str) -> str:
    """A number of many digits with five."""
    try:
        return f"{float(text):.5g}" if len(text) > 8 else text
    except ValueError:
        return text


def _spread(group: Group, metric: str) -> str:
    mean, std = group.mean(metric), group.std(metric)
    if mean is None:
        return ""
    digits = digits_of(metric)
    text = format(mean, digits) + ("" if std is None else f" ±{format(std, digits)}")
    count = len(group.values[metric])
    return text if count == group.seeds else f"{text} (n={count})"


def digits_of(metric: str) -> str:
    """The digits of a metric over seeds: differences between groups are small."""
    name = metric.partition("/")[2]
    own = style_of(name)[1].lstrip("+")
    more = metrics()[name].digits_over_seeds if name in metrics() else 0
    return f".{int(own[1:-1]) + more}f"


def _write(path: Path, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
    return path
