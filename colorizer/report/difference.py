"""How two runs differ: config, code, packages, data, machine, metrics, cost."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from colorizer.errors import UserError, shown
from colorizer.metrics.tables import names as metric_names
from colorizer.metrics.tables import style_of
from colorizer.report.comparison import Difference
from colorizer.report.cost import COLUMNS
from colorizer.report.groups import digits_of
from colorizer.runs import (
    Run,
    cost_of,
    distinct_suffixes,
    flat,
    identifying,
    lock_of,
    not_kept,
    packages_of,
    patch_between,
)
from colorizer.statistics import SIGNIFICANT, holm

# What of the results says which data a run is trained and scored on.
DATA = ("data", "protocol", "train_fingerprint", "val_fingerprint", "test_fingerprint")
DATA_COUNTS = ("val_images", "test_images")

# Of the environment, the machine.
MACHINE = ("python", "platform", "threads", "cpu", "gpus")


@dataclass
class Section:
    """A part of the difference.

    Args:
        title: what is compared.
        titles: of the columns of its table.
        rows: what differs; all metrics, whether they do or not.
        notes: for the reader, a line each.
        patch: between the code of the two.
        known: whether anything is on record.
    """

    title: str
    titles: list[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    patch: str = ""
    known: bool = True

    @property
    def differs(self) -> bool:
        """True if there is anything to show."""
        return bool(self.rows or self.notes or self.patch)


def differences(one: Run, other: Run, columns: Sequence[str] = ()) -> list[Section]:
    """How a run differs from another, part by part.

    Args:
        one: the first.
        other: the second.
        columns: what the two are called; else by their folders.
    """
    columns = columns or distinct_suffixes([one.folder, other.folder])
    results = [{key: run.results.get(key) for key in (*DATA, *DATA_COUNTS)} for run in (one, other)]
    machines = [
        dict(flat({key: run.environment.get(key) for key in MACHINE})) for run in (one, other)
    ]
    return [
        Section("config", ["", *columns], _rows(*map(_settings, (one, other)))),
        _code(one, other, columns),
        Section("packages", ["", *columns], _rows(*_packages(one, other))),
        Section("data", ["", *columns], _rows(*results)),
        Section("machine", ["", *columns], _rows(*machines)),
        _metrics(one, other, columns),
        _cost(one, other, columns),
    ]


def metric_rows(one: Run, other: Run) -> list[tuple[str, Difference | None, bool]]:
    """Every metric that either run has: name, other minus one, and whether the bits are the same.

    The interval is over images, where both were scored on the same ones and have left their
    resamplings; what it would be over seeds two runs cannot tell.
    """
    first, second = one.numbers, other.numbers
    known = {name: place for place, name in enumerate(metric_names())}

    def order(name: str) -> tuple[str, int, str]:
        split, _, metric = name.partition("/")
        return split, known.get(metric, len(known)), metric

    keys = {k for k in {*first, *second} if k.startswith(("val/", "test/"))}
    same_images = all(one.results.get(key) == other.results.get(key) for key in DATA)
    found = []
    for key in sorted(keys, key=order):
        a, b = first.get(key), second.get(key)
        there = key in first and key in second
        difference = None
        if isinstance(a, int | float) and isinstance(b, int | float):
            split, _, metric = key.partition("/")
            resampled = [run.replicates.get(metric) for run in (other, one)]
            paired = same_images and split == "test" and None not in map(_shape, resampled)
            paired = paired and _shape(resampled[0]) == _shape(resampled[1])
            difference = Difference.of(
                [(b, a)],
                [resampled[0] - resampled[1]] if paired else [],  # type: ignore[operator]
            )
        found.append((key, difference, there and a == b))
    return found


def _shape(values: Any) -> Any:
    return None if values is None else values.shape


def _settings(run: Run) -> dict[str, Any]:
    """The choices of config files, and the settings that results depend on."""
    return {**run.environment.get("choices", {}), **dict(flat(identifying(run.config)))}


def _rows(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[list[str]]:
    """A row for each key with different values, blank where there is none."""

    def text(values: Mapping[str, Any], key: str) -> str:
        value = values.get(key)
        return "" if value in (None, "null", "None", []) else shown(value, most=48)

    keys = dict.fromkeys((*one, *other))
    rows = [
        [key, text(one, key), text(other, key)] for key in keys if one.get(key) != other.get(key)
    ]
    return [row for row in rows if row[1] != row[2] or len(row[1]) > 48]


def _packages(one: Run, other: Run) -> list[dict[str, str]]:
    """What was installed for both; of older records no more is known than what is required."""
    both = [packages_of(run) for run in (one, other)]
    whole = all(lock_of(run) is not None for run in (one, other))
    known = both[0].keys() | both[1].keys() if whole else both[0].keys() & both[1].keys()
    return [{name: found[name] for name in sorted(known & found.keys())} for found in both]


def _code(one: Run, other: Run, columns: Sequence[str]) -> Section:
    section = Section("code", ["", *columns])
    states = [run.environment.get("git") or {} for run in (one, other)]
    commits = [
        {"commit": f"{state.get('commit', '')[:12]}{' with changes' if state.get('dirty') else ''}"}
        for state in states
    ]
    section.rows = _rows(*commits)
    try:
        section.patch = _important_first(patch_between(one, other), _changed(one, other))
    except UserError as error:
        section.notes.append(str(error))
    for name, run in zip(columns, (one, other), strict=True):
        section.notes += [f"{name}: {what}" for what in not_kept(run)]
    if section.differs:
        section.notes.append(_modules(one, other))
    return section


def _changed(one: Run, other: Run) -> list[str]:
    """The modules that the numbers of both depend on, and that differ."""
    first, second = (run.environment.get("modules") or {} for run in (one, other))
    return sorted(name for name in first.keys() & second.keys() if first[name] != second[name])


def _important_first(patch: str, modules: Sequence[str]) -> str:
    """A patch with the files of some modules first."""
    paths = [name.replace(".", "/") for name in modules]
    files = re.split(r"^(?=diff --git )", patch, flags=re.M)

    def order(text: str) -> bool:
        head = text.partition("\n")[0]
        return not any(f"{path}{end}" in head for path in paths for end in (".py", "/__init__.py"))

    return "".join(sorted(files, key=order))


def _modules(one: Run, other: Run) -> str:
    """Whether the code that the numbers depend on differs."""
    both = [run.environment.get("modules") or {} for run in (one, other)]
    if not all(both):
        same = one.status.get("code") == other.status.get("code")
        return f"the code that the numbers depend on is {'the same' if same else 'another'}"
    if changed := _changed(one, other):
        return f"modules that the numbers depend on, and that differ: {', '.join(changed)}"
    count = len(both[0].keys() & both[1].keys())
    return f"the {count} modules that the numbers of both depend on are the same"


def _metrics(one: Run, other: Run, columns: Sequence[str]) -> Section:
    section = Section("metrics", ["", *columns, "difference", "told apart"])
    rows = metric_rows(one, other)
    known = [(key, d.p) for key, d, same in rows if d and d.p is not None and not same]
    adjusted = dict(zip((k for k, _ in known), holm([p for _, p in known]), strict=True))
    for key, difference, same in rows:
        cells = [_number(run, key) for run in (one, other)]
        by = "same bits" if same else difference.text(digits_of(key)) if difference else ""
        apart = "" if key not in adjusted else "yes" if adjusted[key] < SIGNIFICANT else "no"
        split, _, name = key.partition("/")
        section.rows.append([f"{split} {style_of(name)[0]}", *cells, by, apart])
    if adjusted:
        section.notes.append(
            "difference: second minus first ± half the width of its 95 % confidence interval over "
            "images, paired, not over seeds; told apart: p below 0.05 (Holm 1979)"
        )
    return section


def _number(run: Run, key: str) -> str:
    if key not in run.numbers:
        return ""
    value = run.numbers[key]
    infinite = value is None or math.isinf(value)
    return "inf" if infinite else format(value, digits_of(key))


def _cost(one: Run, other: Run, columns: Sequence[str]) -> Section:
    costs = [cost_of(run) for run in (one, other)]
    shown_keys = [key for key in COLUMNS if any(cost.get(key) for cost in costs)]

    def cell(cost: Mapping[str, float], key: str) -> str:
        return COLUMNS[key][1](cost[key]) if cost.get(key) else ""

    rows = [[COLUMNS[key][0], *(cell(cost, key) for cost in costs)] for key in shown_keys]
    return Section("cost", ["", *columns], rows, known=bool(rows))


def same(sections: Iterable[Section]) -> list[str]:
    """The titles of the parts in which nothing differs."""
    return [section.title for section in sections if section.known and not section.differs]
