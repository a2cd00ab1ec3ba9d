"""What a report says of some runs, read from their directories alone."""

import contextlib
import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from torch import Tensor

from colorizer.console import markdown_table, table_heading, text_table
from colorizer.errors import UserError
from colorizer.evaluation.board import Scoreboard
from colorizer.metrics.tables import metric_cells, metric_titles, metrics_of, names
from colorizer.pictures import Examples, picture_of_rows
from colorizer.report.groups import Groups, short_number
from colorizer.runs import (
    EXAMPLES,
    INCIDENTAL,
    REAL,
    Run,
    code_versions,
    flat,
    superseded,
    unique_names,
)
from colorizer.sweeps.plan import SEARCH, Sweep

# Rows of a gallery.
GALLERY_ROWS = 12

EXPERIMENT = "experiment"

DIFFERENCES = (
    "difference to the best, seed by seed; ± half the width of its 95 % confidence interval"
)


@dataclass
class Row:
    """One line of a table."""

    name: str
    varied: dict[str, str]
    metrics: dict[str, Any]
    run: Run | None = None


@dataclass
class Table:
    """The runs on one data set, between the baselines and the real images."""

    title: str
    varied: list[str]
    before: list[Row]
    runs: list[Row]
    after: list[Row]
    groups: Groups

    @property
    def rows(self) -> list[Row]:
        """All lines in order."""
        return [*self.before, *self.runs, *self.after]

    @property
    def titles(self) -> list[str]:
        """The column titles."""
        return ["run", *self.varied, *metric_titles(self.metrics)]

    @cached_property
    def metrics(self) -> list[str]:
        """What the lines hold."""
        return metrics_of(row.metrics for row in self.rows)

    def cells(self, row: Row) -> list[str]:
        """One line, formatted."""
        varied = [short_number(row.varied.get(key, "")) for key in self.varied]
        return [row.name, *varied, *metric_cells(row.metrics, self.metrics)]

    def group_lines(self) -> tuple[list[str], list[list[str]]]:
        """Titles and lines of the groups over seeds, between the baselines and the real images."""
        groups = self.groups
        names = [metric.partition("/") for metric in groups.metrics]
        wanted = [name if split == groups.split else "" for split, _, name in names]

        def reference(row: Row) -> list[str]:
            cells = dict(zip(names(), metric_cells(row.metrics, names()), strict=True))
            settings = [row.name, *[""] * (len(groups.keys[1:]) + 1)]
            return [*settings, *(cells.get(name, "") for name in wanted)]

        return groups.titles, [
            *map(reference, self.before),
            *groups.lines(),
            *map(reference, self.after),
        ]

    def render(self, draw: Callable[[Sequence[str], Sequence[Sequence[str]]], str]) -> str:
        """The table as text: of the groups where there are several seeds, else of the runs."""
        if not self.groups.several_seeds:
            return f"{self.title}\n\n{draw(self.titles, [self.cells(r) for r in self.rows])}"
        text = f"{self.title}; mean ± standard deviation over seeds\n\n{draw(*self.group_lines())}"
        differences = self.groups.differences()
        if differences:
            text += f"\n\n{DIFFERENCES}\n\n{draw(self.groups.difference_titles, differences)}"
        return text


@dataclass
class Gallery:
    """The same images through several colorizers."""

    gray: Tensor
    true: Tensor
    predicted: dict[str, Tensor] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, Tensor]]:
        """Labels and images: gray, every run's, true."""
        return [("gray", self.gray), *self.predicted.items(), ("true", self.true)]


class Summary:
    """Tables, curves and pictures of some runs.

    Args:
        runs: finished or not; those that are not are only listed.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        later = superseded(runs)
        self.superseded = [run for run in runs if run.folder in later]
        current = [run for run in runs if run.folder not in later]
        self.finished = [run for run in current if run.state == "finished"]
        self.unfinished = [run for run in current if run.state != "finished"]
        self.other_judges = _same_judges(self.finished)

    @property
    def several_seeds(self) -> bool:
        """Whether there are groups of runs that differ in the seed alone."""
        return any(table.groups.several_seeds for table in self.tables)

    def notes(self) -> list[str]:
        """What a reader of the tables has to know: which runs are not in them, and why."""
        lines = [
            f"not in the tables: {run.folder} ({run.name}) is {run.state}"
            + (f": {error.splitlines()[-1]}" if (error := run.status.get("error")) else "")
            for run in self.unfinished
            if run.state != "pruned"
        ]
        pruned = sum(run.state == "pruned" for run in self.unfinished)
        if pruned:
            lines.append(f"not in the tables: {pruned} pruned trials")
        if self.waiting:
            lines.append(f"not in the tables: {self.waiting} more jobs of the sweep, not begun yet")
        if self.superseded:
            lines.append(f"{len(self.superseded)} runs were begun again; the newer ones count")
        if self.other_judges:
            lines.append(
                f"{self.other_judges} runs were evaluated by other judges: without what these say"
            )
        versions = code_versions(self.finished)
        if versions > 1:
            lines.append(f"the runs are of {versions} versions of the code")
        return lines

    @property
    def _sweeps(self) -> set[Path]:
        """The folders that hold the runs, which may be sweeps."""
        return {run.folder.parent for run in [*self.finished, *self.unfinished]}

    def search_figures(self) -> dict[str, Any]:
        """Optuna's plots of the searches that the runs belong to, where Optuna is installed."""
        found: dict[str, Any] = {}
        for number, folder in enumerate(sorted(f for f in self._sweeps if (f / SEARCH).is_file())):
            with contextlib.suppress(UserError):
                from colorizer.sweeps.search import Search

                for name, figure in Search.open(folder).figures().items():
                    found[f"search-{number}-{name}"] = figure
        return found

    @cached_property
    def waiting(self) -> int:
        """Jobs that the sweeps of these runs have planned and not begun."""
        jobs = [job for folder in self._sweeps for job in Sweep(folder).read()[0]]
        return sum(job.state == "waiting" for job in jobs)

    @cached_property
    def tables(self) -> list[Table]:
        """One for each data set and protocol, best in validation first: tests rank nothing."""
        groups: dict[tuple[str, ...], list[Run]] = {}
        for run in self.finished:
            key = [str(run.results[name]) for name in ("data", "test_fingerprint", "protocol")]
            groups.setdefault((*key, str(run.colorizes)), []).append(run)
        tables = []
        for runs in groups.values():
            tested = [run for run in runs if run.metrics("test")]
            if len(tested) < len(runs):  # of a search, only the best is tested
                tables.append(self._table(runs, "val"))
            if tested:
                tables.append(self._table(tested, "test"))
        return tables

    def _table(self, runs: list[Run], split: str) -> Table:
        varied = varied_settings(runs)
        columns = sorted({key for settings in varied for key in settings})
        groups = Groups(runs, varied, split)
        most = min(runs, key=lambda run: run.evaluation is None)
        references = most.references if split == "test" else {}
        rows = [
            Row(name, settings, run.metrics(split), run)
            for name, run, settings in zip(
                unique_names(runs, taken=references), runs, varied, strict=True
            )
        ]
        first = "psnr" if runs[0].colorizes else "accuracy"
        rows.sort(key=lambda row: -(row.run.metrics("val").get(first) or 0) if row.run else 0)
        last = [Row(name, {}, row) for name, row in references.items() if name == REAL]
        before = [Row(name, {}, row) for name, row in references.items() if name != REAL]
        results = runs[0].results
        title = table_heading(
            results["data"],
            results.get(f"{split}_images", "?"),
            "validation" if split == "val" else split,
            results["protocol"],
            results.get("caveat"),
        )
        return Table(title, columns, before, rows, last, groups)

    def rows(self) -> Iterator[tuple[str, Run]]:
        """Every finished run with its name, in the order of the tables."""
        seen = set()
        for table in self.tables:
            for row in table.runs:
                if row.run and row.run.folder not in seen:
                    seen.add(row.run.folder)
                    yield row.name, row.run

    @cached_property
    def galleries(self) -> list[Gallery]:
        """The runs' example pictures, those of the same images together."""
        found: dict[str, Gallery] = {}
        for name, run in self.shown():
            if not (run.folder / EXAMPLES).is_file():
                continue
            examples = Examples.load(run.folder / EXAMPLES)
            key = hashlib.sha256(examples.true.numpy().tobytes()).hexdigest()
            gallery = found.setdefault(key, Gallery(examples.gray, examples.true))
            gallery.predicted[name] = examples.predicted
        return list(found.values())

    def shown(self) -> Iterator[tuple[str, Run]]:
        """The runs whose pictures are shown: one seed of each group, and of many the best."""
        seen: set[Path] = set()
        for table in self.tables:
            rows = {row.run.folder: row for row in table.runs if row.run}
            firsts = [
                min(group.runs, key=lambda run: (run.evaluation is None, run.config.seed))
                for group in table.groups.groups
            ]
            for run in firsts[:GALLERY_ROWS]:
                if run.folder not in seen:
                    seen.add(run.folder)
                    yield rows[run.folder].name, run

    @cached_property
    def boards(self) -> list[Scoreboard]:
        """The runs that are shown and were scored by the whole protocol, for each data set."""
        boards: dict[str, Scoreboard] = {}
        for name, run in self.shown():
            if run.evaluation:
                about = run.evaluation.about
                title = f"{about['data']}, {about['images']:,} {about['split']} images"
                new = Scoreboard(title, run.evaluation.references)
                board = boards.setdefault(str(about["fingerprint"]), new)
                board.runs[name] = run.evaluation.own
                if pictures := run.pictures():
                    board.pictures[name] = pictures
        return list(boards.values())

    def text(self) -> str:
        """The tables for a terminal."""
        return "\n\n".join(table.render(text_table) for table in self.tables)

    def write_pictures(self, path: Path) -> list[Path]:
        """Every gallery as a picture, with a number in the name where there are several."""
        paths = []
        for number, gallery in enumerate(self.galleries, start=1):
            suffix = f"-{number}" if len(self.galleries) > 1 else ""
            paths.append(path.with_name(f"{path.stem}{suffix}{path.suffix}"))
            picture_of_rows(gallery.rows()).save(paths[-1])
        return paths

    def write_figures(self, folder: Path) -> None:
        """Write table.md, table.csv, summary.csv, differences.csv and examples.png.

        Of runs that were evaluated also protocol.md, ab.png and extremes.png; of the first data
        set where there are several.
        """
        folder.mkdir(parents=True, exist_ok=True)
        tables = [table.render(markdown_table) for table in self.tables]
        (folder / "table.md").write_text("\n\n".join(tables) + "\n")
        with (folder / "table.csv").open("w", newline="") as file:
            varied = sorted({key for table in self.tables for key in table.varied})
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["data", "run", *varied, *names()])
            for table in self.tables:
                for row in table.rows:
                    settings = [row.varied.get(key, "") for key in varied]
                    metrics = [row.metrics.get(name) for name in names()]
                    writer.writerow([table.title, row.name, *settings, *metrics])
        self.write_pictures(folder / "examples.png")
        self.write_groups(folder)
        if self.boards:
            from colorizer.report.plausibility import write_figures

            write_figures(self.boards[0], folder)

    def write_groups(self, folder: Path) -> list[Path]:
        """Write summary.csv and differences.csv; of the first data set where there are several."""
        return self.tables[0].groups.write_csv(folder)


def _same_judges(runs: Sequence[Run]) -> int:
    """Leave evaluations by other judges than most out; gives back how many there are."""
    panels: dict[str, Counter[str]] = {}
    for run in runs:
        if run.evaluation:
            about = run.evaluation.about
            panels.setdefault(about["fingerprint"], Counter())[str(about["judges"])] += 1
    others = 0
    for run in runs:
        if run.evaluation:
            about = run.evaluation.about
            ((most, _),) = panels[about["fingerprint"]].most_common(1)
            if str(about["judges"]) != most:
                run.leave_out_evaluation()
                others += 1
    return others


def varied_settings(runs: Sequence[Run]) -> list[dict[str, str]]:
    """For each run the settings in which the runs differ.

    A choice of a config file counts as one setting; what is below it is left to it, unless runs
    with the same choice differ there. So does a choice of an experiment, for all that follows from
    it. A key that a run does not have is blank.
    """
    if len(runs) < 2:
        return [{} for _ in runs]
    values_of = [dict(flat(OmegaConf.to_container(run.config, resolve=False))) for run in runs]
    # Hydra calls a group that was set to null "None".
    choices = [
        {group: None if name == "None" else name for group, name in chosen.items()}
        for chosen in (run.environment.get("choices", {}) for run in runs)
    ]
    varied: list[dict[str, str]] = [{} for _ in runs]

    def note(key: str, values: list[Any]) -> None:
        for settings, value in zip(varied, values, strict=True):
            settings[key] = "" if value is None else str(value)

    chosen = [
        group
        for group in sorted(set().union(*choices), key=lambda group: (group != EXPERIMENT, group))
        if len({names.get(group) for names in choices}) > 1
    ]
    experiments = EXPERIMENT in chosen

    def follows(values: Sequence[Any]) -> bool:
        return experiments and not _differs_within(EXPERIMENT, values, choices)

    for group in chosen:
        names_of = [names.get(group) for names in choices]
        if group == EXPERIMENT or not follows(names_of):
            note(group, names_of)
    # What was asked for comes first, so that what only follows from it is left out.
    asked = {
        override.lstrip("+~").partition("=")[0]
        for run in runs
        for override in run.environment.get("overrides", ())
    }
    columns: set[tuple[str, ...]] = set()
    for key in sorted(set().union(*values_of), key=lambda key: (key not in asked, key)):
        group = key.partition(".")[0]
        values = [settings.get(key) for settings in values_of]
        column = tuple(map(str, values))
        if group in INCIDENTAL or (group in chosen and not _differs_within(group, values, choices)):
            continue
        if key not in asked and follows(values):
            continue
        if len(set(column)) > 1 and column not in columns:
            columns.add(column)
            note(key, values)
    return varied


def _differs_within(
    group: str, values: Sequence[Any], choices: Sequence[dict[str, str | None]]
) -> bool:
    """Whether runs that chose the same file of a group have different values."""
    found: dict[str | None, set[str]] = {}
    for value, names in zip(values, choices, strict=True):
        found.setdefault(names.get(group), set()).add(str(value))
    return any(len(texts) > 1 for texts in found.values())
