"""A table of runs between the baselines and the real images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from colorizer.metrics import tables
from colorizer.report.groups import Groups, short_number
from colorizer.runs import Run

# Titles and lines -> a table as text.
Draw = Callable[[Sequence[str], Sequence[Sequence[str]]], str]

# The caption of the differences between groups.
DIFFERENCES = (
    "difference to the best, seed by seed; ± half the width of its 95 % confidence interval, over "
    "seeds and, where an evaluation has left its resamplings, over images; not told apart: p of "
    "0.05 or more (Holm 1979)"
)


@dataclass
class Row:
    """A line of a table."""

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
        return ["run", *self.varied, *tables.metric_titles(self.metrics)]

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics that any line has."""
        return tables.metrics_of(row.metrics for row in self.rows)

    def cells(self, row: Row) -> list[str]:
        """Format a line."""
        varied = [short_number(row.varied.get(key, "")) for key in self.varied]
        return [row.name, *varied, *tables.metric_cells(row.metrics, self.metrics)]

    def group_lines(self) -> tuple[list[str], list[list[str]]]:
        """Titles and lines of the groups over seeds, between the baselines and the real images."""
        groups = self.groups
        names = [metric.partition("/") for metric in groups.metrics]
        wanted = [name if split == groups.split else "" for split, _, name in names]

        def reference(row: Row) -> list[str]:
            known = tables.names()
            cells = dict(zip(known, tables.metric_cells(row.metrics, known), strict=True))
            settings = [row.name, *[""] * (len(groups.keys[1:]) + 1)]
            return [*settings, *(cells.get(name, "") for name in wanted)]

        return groups.titles, [
            *map(reference, self.before),
            *groups.lines(),
            *map(reference, self.after),
        ]

    def render(self, draw: Draw) -> str:
        """The table as text: of the groups where there are several seeds, else of the runs."""
        if not self.groups.several_seeds:
            return f"{self.title}\n\n{draw(self.titles, [self.cells(r) for r in self.rows])}"
        text = f"{self.title}; mean ± standard deviation over seeds\n\n{draw(*self.group_lines())}"
        differences = self.groups.differences()
        if differences:
            text += f"\n\n{DIFFERENCES}\n\n{draw(self.groups.difference_titles, differences)}"
        return text
