"""Metrics as columns: which there are, their titles, and their cells."""

import math
from collections.abc import Iterable, Mapping

from colorizer.metrics.base import Place
from colorizer.metrics.registry import metrics


def names() -> list[str]:
    """The names of all metrics, in the order of the tables."""
    return list(metrics())


def shown(place: Place) -> list[str]:
    """The names of the metrics that a kind of table shows."""
    return [name for name, metric in metrics().items() if place in metric.shown]


def style_of(name: str) -> tuple[str, str]:
    """A metric's title and format; what is no metric, such as a loss term, has its name."""
    metric = metrics().get(name)
    return (metric.title, metric.digits) if metric else (name.replace("_", " "), ".4f")


def metrics_of(rows: Iterable[Mapping[str, float | None]]) -> list[str]:
    """The names of the metrics that any of some rows has, in the order of the tables."""
    found = set().union(*rows)
    return [name for name in names() if name in found]


def metric_cells(row: Mapping[str, float | None], columns: Iterable[str]) -> list[str]:
    """The cells of one row: None, an infinite PSNR, is `inf`; a missing metric is blank."""
    cells = []
    for name in columns:
        if name not in row:
            cells.append("")
            continue
        value = row[name]
        infinite = value is None or math.isinf(value)
        cells.append("inf" if infinite else format(value, style_of(name)[1]))
    return cells


def metric_titles(columns: Iterable[str]) -> list[str]:
    """The titles of `metric_cells`."""
    return [style_of(name)[0] for name in columns]
