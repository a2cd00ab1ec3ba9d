"""Scores side by side: for the terminal, and as Markdown, CSV, JSON and pictures."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from torch import Tensor

from colorizer.console import markdown_table, text_table
from colorizer.evaluation.readings import TITLES
from colorizer.metrics import metrics
from colorizer.metrics.base import Kind
from colorizer.metrics.tables import metric_cells, metric_titles, shown, style_of
from colorizer.pictures import Examples, picture_of_rows
from colorizer.runs.scores import REAL, Pictures, Scores

Draw = Callable[[Sequence[str], Sequence[Sequence[Any]]], str]


@dataclass
class Scoreboard:
    """Colorizers on the same images, as the same judges see them.

    Args:
        title: on what, and how many images.
        references: the baselines, a ceiling and the real images.
        runs: what is compared with them.
        pictures: what is drawn of runs, by name.
        examples: the same images through runs, by name.
        draws: these images as they were coloured several times, by name.
    """

    title: str
    references: Mapping[str, Scores]
    runs: dict[str, Scores] = field(default_factory=dict)
    pictures: dict[str, Pictures] = field(default_factory=dict)
    examples: dict[str, Examples] = field(default_factory=dict)
    draws: dict[str, list[Tensor]] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, Scores]:
        """All rows in order: the real images are the last."""
        rows = {**self.references, **self.runs}
        return {**{k: v for k, v in rows.items() if k != REAL}, REAL: rows[REAL]}

    def tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """Heading, column titles and lines for each reading and subset that runs have.

        The first table shows all metrics, the others the most important ones; controls are in
        those of the output as it is.
        """
        found = []
        for number, ((reading, subset), title) in enumerate(TITLES.items()):
            rows = {k: v for k, v in self.rows.items() if subset in v.readings.get(reading, ())}
            if rows.keys() & (self.runs or self.rows).keys():
                wanted = shown("headline" if number else "scores")
                found.append((title, *_table(rows, reading, subset, wanted)))
        return found

    def scale_tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """Heading, titles and lines: where chroma errs, and how its detail compares."""
        rows = {name: row.by_scale for name, row in self.rows.items() if row.by_scale}
        if not rows:
            return []
        scales = next(iter(rows.values()))["scale"]
        worst = [f"worst {percent:g} %" for percent in next(iter(rows.values()))["worst"]]
        errors, details = [], []
        for name, found in rows.items():
            total = sum(found["error"])
            if total:
                shares = [100 * error / total for error in found["error"]]
                cells = [f"{share:.1f}" for share in [*shares, *found["worst_error"]]]
                errors.append([name, f"{255 * total**0.5:.2f}", *cells])
            strengths = [255 * energy**0.5 for energy in found["predicted"][1:]]
            cells = [f"{strength:.2f}" for strength in strengths]
            details.append([name, *cells, *(f"{r:.2f}" for r in found["with_light"][1:])])
        pixels = [f"{scale} px" if scale[0].isdigit() else scale for scale in scales]
        return [
            (
                "where the chroma errs: root mean square in 8-bit units, the percent of its square "
                "at each scale, and in the worst images",
                ["run", "error", *pixels, *worst],
                errors,
            ),
            (
                "detail of the chroma: root mean square in 8-bit units at each scale, and the "
                "correlation of its strength with the luminance detail's",
                ["run", *pixels[1:], *(f"r, {scale}" for scale in pixels[1:])],
                details,
            ),
        ]

    def text(self, draw: Draw = text_table) -> str:
        """Draw the tables as text."""
        tables = [*self.tables(), *self.scale_tables()]
        parts = [f"{title}\n\n{draw(titles, lines)}" for title, titles, lines in tables]
        return "\n\n".join([self.title, *parts])

    def write(self, about: Mapping[str, Any], folder: Path) -> list[Path]:
        """Write what there is, and return the paths.

        scores.md, the tables; scores.csv, a line for each number; scores.json; examples.png, the
        same images through all runs; samples.png, several draws of those that can.
        """
        folder.mkdir(parents=True, exist_ok=True)
        written = [folder / f"scores.{suffix}" for suffix in ("md", "csv", "json")]
        written[0].write_text(self.text(markdown_table) + "\n")
        with written[1].open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["run", "output", "images", "metric", "value", "low95", "high95"])
            writer.writerows(self._lines())
        content = {**about, "rows": {name: row.to_json() for name, row in self.rows.items()}}
        written[2].write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
        if self.examples:
            gray, _, true = next(iter(self.examples.values()))
            outputs = [(name, examples.predicted) for name, examples in self.examples.items()]
            draws = [(name, images) for name, several in self.draws.items() for images in several]
            for name, rows in (("examples.png", outputs), ("samples.png", draws)):
                if rows:
                    rows = [("gray", gray), *rows, ("true", true)]
                    picture_of_rows(rows).save(folder / name)
                    written.append(folder / name)
        return written

    def _lines(self) -> Iterator[list[Any]]:
        """A line of scores.csv for each number."""
        for name, row in self.rows.items():
            for reading, subsets in row.readings.items():
                for subset, found in subsets.items():
                    for metric, estimate in found.items():
                        yield [name, reading, subset, metric, *estimate]
            for metric, value in row.extras.items():
                yield [name, "raw", "all", metric, value, None, None]


def _table(
    rows: Mapping[str, Scores], reading: str, subset: str, wanted: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    of_rows = {name: _values(row, reading, subset) for name, row in rows.items()}
    known, kinds = metrics(), get_args(Kind)
    names = [name for name in wanted if any(name in row for row in of_rows.values())]
    names.sort(key=lambda name: kinds.index(known[name].kind))
    lines = []
    for name, row in of_rows.items():
        cells = metric_cells(row, names)
        for column, metric in enumerate(names):
            found = rows[name].readings[reading][subset].get(metric)
            if known[metric].interval and found and None not in found:
                half = (found.high - found.low) / 2  # type: ignore[operator]
                digits = style_of(metric)[1].lstrip("+")
                cells[column] += f" ±{format(half, digits)}" if half else ""
        lines.append([name, *cells])
    return ["run", *metric_titles(names)], lines


def _values(row: Scores, reading: str, subset: str) -> dict[str, float | None]:
    """Metric to value; what does not depend on the reading is in the first table alone."""
    found = {name: estimate.value for name, estimate in row.readings[reading][subset].items()}
    return found | (row.extras if (reading, subset) == ("raw", "all") else {})
