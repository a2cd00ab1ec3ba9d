"""How two runs differ: config and metrics."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from omegaconf import OmegaConf

from colorizer.errors import shown
from colorizer.metrics.tables import names as metric_names
from colorizer.metrics.tables import style_of
from colorizer.report.groups import digits_of
from colorizer.runs import INCIDENTAL, Run, flat
from colorizer.runs.names import distinct_suffixes


@dataclass
class Section:
    """A part of the difference.

    Args:
        title: what is compared.
        titles: of the columns of its table.
        rows: what differs; all metrics, whether they do or not.
        notes: for the reader, a line each.
    """

    title: str
    titles: list[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def differences(one: Run, other: Run) -> list[Section]:
    """How a run differs from another, part by part."""
    names = distinct_suffixes([one.folder, other.folder])
    columns = names if len(set(names)) > 1 else ["one", "other"]
    return [
        Section("config", ["", *columns], _rows(*map(_settings, (one, other)))),
        _metrics(one, other, columns),
    ]


def _settings(run: Run) -> dict[str, Any]:
    """The choices of config files, and the settings that results depend on."""
    values = dict(flat(OmegaConf.to_container(run.config, resolve=False)))
    kept = {k: v for k, v in values.items() if k.partition(".")[0] not in INCIDENTAL}
    return {**run.environment.get("choices", {}), **kept}


def _rows(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[list[str]]:
    """A row for each key with different values, blank where there is none."""

    def text(values: Mapping[str, Any], key: str) -> str:
        value = values.get(key)
        return "" if value in (None, "null", "None", []) else shown(value, most=48)

    keys = dict.fromkeys((*one, *other))
    rows = [[k, text(one, k), text(other, k)] for k in keys if one.get(k) != other.get(k)]
    return [row for row in rows if row[1] != row[2] or len(row[1]) > 48]


def _metrics(one: Run, other: Run, columns: list[str]) -> Section:
    section = Section("metrics", ["", *columns, "difference"])
    first, second = one.numbers, other.numbers
    known = {name: place for place, name in enumerate(metric_names())}

    def order(key: str) -> tuple[str, int, str]:
        split, _, name = key.partition("/")
        return split, known.get(name, len(known)), name

    for key in sorted({k for k in {*first, *second} if k.startswith(("val/", "test/"))}, key=order):
        a, b = first.get(key), second.get(key)
        both = isinstance(a, int | float) and isinstance(b, int | float)
        by = format(b - a, f"+{digits_of(key)}") if both else ""  # type: ignore[operator]
        split, _, name = key.partition("/")
        cells = [_number(values, key) for values in (first, second)]
        section.rows.append([f"{split} {style_of(name)[0]}", *cells, by])
    return section


def _number(values: Mapping[str, Any], key: str) -> str:
    if key not in values:
        return ""
    value = values[key]
    infinite = value is None or math.isinf(value)
    return "inf" if infinite else format(value, digits_of(key))
