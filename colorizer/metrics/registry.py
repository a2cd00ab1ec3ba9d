"""The registry of metrics, which everything that shows or stores numbers reads."""

import importlib
import pkgutil
from collections.abc import Collection
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeVar

from colorizer.errors import UserError, first_line
from colorizer.judge import Family
from colorizer.metrics.base import ImageMetric, Metric

ENTRY_POINTS = "colorizer.metrics"

M = TypeVar("M", bound=type[Metric])

_registered: dict[str, Metric] = {}


def register(metric: M) -> M:
    """Add a metric to every table; a class decorator.

    Raises:
        ValueError: another metric has its name.
    """
    before = _registered.get(metric.name)
    if before is not None and type(before).__qualname__ != metric.__qualname__:
        raise ValueError(f"there is a metric {metric.name!r} already: {type(before).__qualname__}")
    _registered[metric.name] = metric()
    return metric


@cache
def _discover() -> None:
    """Import the modules of this package, and those that entry points name."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)], "colorizer.metrics."):
        importlib.import_module(module.name)
    for point in entry_points(group=ENTRY_POINTS):
        try:
            found = point.load()
        except Exception as error:
            raise UserError(
                f"the metric {point.name} of {point.value} cannot be imported: {first_line(error)}"
            ) from error
        if isinstance(found, type) and issubclass(found, Metric) and found.name not in _registered:
            register(found)


def metrics() -> dict[str, Metric]:
    """Every metric by name, in the order of the tables."""
    _discover()
    return {m.name: m for m in sorted(_registered.values(), key=lambda m: (m.order, m.name))}


def image_metrics(families: Collection[Family] = ()) -> list[ImageMetric]:
    """The metrics that are computed of images.

    Args:
        families: of the judges that there are.
    """
    found = [metric for metric in metrics().values() if isinstance(metric, ImageMetric)]
    return [metric for metric in found if metric.family is None or metric.family in families]


def validation_metrics() -> list[ImageMetric]:
    """The metrics that every validation of a training computes."""
    return [metric for metric in image_metrics() if metric.validation]


def better() -> dict[str, str]:
    """`min` or `max` of the validation metrics that a run can be chosen by."""
    return {metric.name: metric.better for metric in validation_metrics() if metric.better}
