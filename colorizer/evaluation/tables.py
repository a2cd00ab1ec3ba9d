"""The protocol's tables: for the terminal, and as Markdown, CSV and JSON."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from colorizer.console import markdown_table, text_table
from colorizer.evaluation.readings import TITLES
from colorizer.metrics.tables import metric_cells, metric_titles, style_of
from colorizer.pictures import Examples, picture_of_rows
from colorizer.runs import REAL, Evaluated, Pictures

# What the first table shows, of what there is, and what those of the other readings do.
FULL = (
    "mse",
    "psnr",
    "ssim",
    "delta_e",
    "acc5",
    "auc",
    "luma_error",
    "colorfulness",
    "delta_cf",
    "ab_divergence",
    "semantic_accuracy",
    "recovered",
    "fd_cifar",
    "diversity",
    "best_of_k",
    "afc",
)
HEADLINE = ("psnr", "delta_e", "delta_cf", "ab_divergence", "recovered", "fd_cifar")

# These are shown with half the width of their 95 % confidence interval.
WITH_INTERVAL = (
    "delta_e",
    "delta_cf",
    "ab_divergence",
    "semantic_accuracy",
    "recovered",
    "fd_cifar",
)

Draw = Callable[[Sequence[str], Sequence[Sequence[Any]]], str]


@dataclass
class Scoreboard:
    """Colorizers on the same images, in the eyes of the same judges.

    Args:
        title: on what, and how many images.
        references: the baselines, a ceiling and the real images.
        runs: what is compared with them.
        pictures: of runs, where there are any.
    """

    title: str
    references: Mapping[str, Evaluated]
    runs: dict[str, Evaluated] = field(default_factory=dict)
    pictures: dict[str, Pictures] = field(default_factory=dict)
    examples: dict[str, Examples] = field(default_factory=dict)
    samples: dict[str, list[Tensor]] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, Evaluated]:
        """In order: the real images are the last."""
        rows = {**self.references, **self.runs}
        return {**{k: v for k, v in rows.items() if k != REAL}, REAL: rows[REAL]}

    def tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """Heading, column titles and lines for each reading and subset.

        The first has all, the others the headline.
        """
        rows = self.rows
        return [
            (title, *_table(rows, reading, subset, HEADLINE if number else FULL))
            for number, ((reading, subset), title) in enumerate(TITLES.items())
            if all(reading in row.readings for row in rows.values())
        ]

    def text(self, draw: Draw = text_table) -> str:
        """The tables as text."""
        parts = [f"{title}\n\n{draw(titles, lines)}" for title, titles, lines in self.tables()]
        return "\n\n".join([self.title, *parts])

    def write(self, about: Mapping[str, Any], folder: Path) -> list[Path]:
        """Write what there is.

        scores.md, the tables; scores.csv, a line for each number; scores.json; examples.png, the
        same images through all runs; samples.png, several colorizations by those that draw.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scores.md").write_text(self.text(markdown_table) + "\n")
        with (folder / "scores.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["run", "output", "images", "metric", "value", "low95", "high95"])
            for name, row in self.rows.items():
                for reading, subsets in row.readings.items():
                    for subset, metrics in subsets.items():
                        for metric, estimate in metrics.items():
                            writer.writerow([name, reading, subset, metric, *estimate])
                for metric, value in row.extras.items():
                    writer.writerow([name, "raw", "all", metric, value, None, None])
        content = {**about, "rows": {name: row.to_json() for name, row in self.rows.items()}}
        (folder / "scores.json").write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
        written = [folder / f"scores.{suffix}" for suffix in ("md", "csv", "json")]
        if self.examples:
            gray, _, true = next(iter(self.examples.values()))
            outputs = [(name, examples.predicted) for name, examples in self.examples.items()]
            drawn = [(name, images) for name, several in self.samples.items() for images in several]
            for name, rows in (("examples.png", outputs), ("samples.png", drawn)):
                if rows:
                    rows = [("gray", gray), *rows, ("true", true)]
                    picture_of_rows(rows).save(folder / name)
                    written.append(folder / name)
        return written


def _table(
    rows: Mapping[str, Evaluated], reading: str, subset: str, wanted: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    of_rows = {name: values(row, reading, subset) for name, row in rows.items()}
    names = [name for name in wanted if any(name in row for row in of_rows.values())]
    lines = []
    for name, row in of_rows.items():
        cells = metric_cells(row, names)
        for column, metric in enumerate(names):
            found = rows[name].readings[reading][subset].get(metric)
            if metric in WITH_INTERVAL and found and None not in found:
                half = (found.high - found.low) / 2  # type: ignore[operator]
                digits = style_of(metric)[1].lstrip("+")
                cells[column] += f" ±{format(half, digits)}" if half else ""
        lines.append([name, *cells])
    return ["run", *metric_titles(names)], lines


def values(row: Evaluated, reading: str, subset: str) -> dict[str, float | None]:
    """Metric to value; what does not depend on the reading is in the first table alone."""
    found = {name: estimate.value for name, estimate in row.readings[reading][subset].items()}
    return found | (row.extras if (reading, subset) == ("raw", "all") else {})
