"""A summary of runs, read from their directories alone."""

import contextlib
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from colorizer.console import markdown_table, table_heading, text_table
from colorizer.errors import UserError
from colorizer.evaluation.board import Scoreboard
from colorizer.metrics.tables import names
from colorizer.pictures import picture_of_rows
from colorizer.report.cost import CAPTION, cost_table
from colorizer.report.gallery import Gallery, galleries_of
from colorizer.report.groups import Groups
from colorizer.report.table import Draw, Row, Table
from colorizer.runs import (
    REAL,
    Run,
    code_versions,
    superseded,
    unique_names,
    varied_settings,
)
from colorizer.sweeps.plan import SEARCH, Sweep

# Rows of a gallery.
GALLERY_ROWS = 12


class Summary:
    """Tables, curves and pictures of some runs.

    Args:
        runs: finished or not; those that are not are only listed, unless they come with the
            metrics of a checkpoint (`colorizer.runs.opening`).
        damaged: a line for each run that could not be opened.
    """

    def __init__(self, runs: Sequence[Run], damaged: Sequence[str] = ()) -> None:
        self.damaged = damaged
        later = superseded(runs)
        self.superseded = [run for run in runs if run.folder in later]
        current = [run for run in runs if run.folder not in later]
        self.finished = [run for run in current if run.state == "finished" or run.interim]
        self.unfinished = [run for run in current if run not in self.finished]
        self.other_judges = _same_judges(self.finished)

    @property
    def several_seeds(self) -> bool:
        """True if there are groups of runs that differ in the seed alone."""
        return any(table.groups.several_seeds for table in self.tables)

    def notes(self) -> list[str]:
        """Notes for the reader of the tables: which runs are not in them, and why."""
        lines = [
            *self.damaged,
            *(
                f"{run.folder} ({run.name}) is {run.interim}"
                for run in self.finished
                if run.interim
            ),
        ]
        lines += [
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
        """Figures of the searches that the runs belong to, where Optuna is installed."""
        found: dict[str, Any] = {}
        for number, folder in enumerate(sorted(f for f in self._sweeps if (f / SEARCH).is_file())):
            with contextlib.suppress(UserError):
                from colorizer.sweeps.search import Search
                from colorizer.sweeps.search_figures import search_figures

                for name, figure in search_figures(Search.open(folder)).items():
                    found[f"search-{number}-{name}"] = figure
        return found

    @cached_property
    def waiting(self) -> int:
        """Jobs that the sweeps of these runs have planned and not begun."""
        jobs = [job for folder in self._sweeps for job in Sweep(folder).read()[0]]
        return sum(job.state == "waiting" for job in jobs)

    @cached_property
    def tables(self) -> list[Table]:
        """A table for each data set and protocol, best in validation first: tests rank nothing."""
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
        most = min(runs, key=_judged)
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
        return galleries_of(self.shown())

    def shown(self) -> Iterator[tuple[str, Run]]:
        """The runs whose pictures are shown: one seed of each group, and of many the best."""
        seen: set[Path] = set()
        for table in self.tables:
            rows = {row.run.folder: row for row in table.runs if row.run}
            firsts = [
                min(group.runs, key=lambda run: (_judged(run), run.config.seed))
                for group in table.groups.groups
            ]
            for run in firsts[:GALLERY_ROWS]:
                if run.folder not in seen:
                    seen.add(run.folder)
                    yield rows[run.folder].name, run

    @cached_property
    def boards(self) -> list[Scoreboard]:
        """The evaluations of the runs that are shown, one scoreboard for each data set."""
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

    def cost(self, others: bool = True) -> tuple[list[str], list[list[str]]] | None:
        """What the runs have cost, see `cost_table`.

        Args:
            others: also those that are in no table, of which no records are kept.
        """
        lines: list[tuple[str, Sequence[Run]]] = []
        if self.several_seeds:
            for table in self.tables:
                groups = table.groups
                lines += [(groups.name(group), group.runs) for group in groups.groups]
        else:
            lines += [(name, [run]) for name, run in self.rows()]
        seen: set[Path] = set()
        for number, (name, runs) in enumerate(lines):
            lines[number] = name, [run for run in runs if run.folder not in seen]
            seen |= {run.folder for run in runs}
        left = [*self.unfinished, *self.superseded] if others else []
        return cost_table([*lines, ("in no table", left)])

    def text(self, draw: Draw = text_table, others: bool = True) -> str:
        """The tables, for a terminal unless they are drawn otherwise; `others` as in `cost`."""
        parts = [table.render(draw) for table in self.tables]
        if cost := self.cost(others):
            parts.append(f"{CAPTION}\n\n{draw(*cost)}")
        return "\n\n".join(parts)

    def write_pictures(self, path: Path) -> list[Path]:
        """Write every gallery as a picture, with a number in the name where there are several."""
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
        (folder / "table.md").write_text(self.text(markdown_table, others=False) + "\n")
        with (folder / "table.csv").open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(self._lines())
        self.write_pictures(folder / "examples.png")
        self.write_groups(folder)
        if self.boards:
            from colorizer.report.evaluation_figures import write_figures

            write_figures(self.boards[0], folder)

    def _lines(self) -> Iterator[list[Any]]:
        """The lines of table.csv."""
        varied = sorted({key for table in self.tables for key in table.varied})
        yield ["data", "run", *varied, *names()]
        for table in self.tables:
            for row in table.rows:
                settings = [row.varied.get(key, "") for key in varied]
                metrics = [row.metrics.get(name) for name in names()]
                yield [table.title, row.name, *settings, *metrics]

    def write_groups(self, folder: Path) -> list[Path]:
        """Write summary.csv and differences.csv; of the first data set where there are several."""
        return self.tables[0].groups.write_csv(folder)


def _same_judges(runs: Sequence[Run]) -> int:
    """Leave evaluations by other judges than most out; gives back how many there are."""
    judged = [
        (run, run.evaluation.about)
        for run in runs
        if run.evaluation and run.evaluation.about["judges"]
    ]
    panels: dict[str, Counter[str]] = {}
    for _, about in judged:
        panels.setdefault(about["fingerprint"], Counter())[str(about["judges"])] += 1
    others = 0
    for run, about in judged:
        ((most, _),) = panels[about["fingerprint"]].most_common(1)
        if str(about["judges"]) != most:
            run.leave_out_evaluation()
            others += 1
    return others


def _judged(run: Run) -> int:
    """0 for a run that judges looked at, 1 for one that was scored without, 2 for neither."""
    if run.evaluation is None:
        return 2
    return 0 if run.evaluation.about["judges"] else 1
