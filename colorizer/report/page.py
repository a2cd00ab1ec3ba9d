"""The report as one self-contained HTML page."""

import base64
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import jinja2
from PIL import Image
from plotly.offline import get_plotlyjs
from torch import Tensor

from colorizer.evaluation.board import Scoreboard
from colorizer.files import write_text
from colorizer.report.cost import CAPTION
from colorizer.report.difference import Section, differences
from colorizer.report.evaluation_figures import (
    ab_pictures,
    chroma_figure,
    class_table,
    extremes,
    scale_figure,
)
from colorizer.report.figures import curves_figure, parallel_coordinates
from colorizer.report.summary import Summary
from colorizer.report.table import DIFFERENCES, Row, Table
from colorizer.runs import REAL

# Of the code of two runs.
MOST_PATCH_LINES = 2000


def write_page(summary: Summary, path: Path, boards: Sequence[Scoreboard] | None = None) -> None:
    """Write the page; it needs no other file and no network.

    Args:
        summary: of the runs.
        path: the page.
        boards: evaluations to show in place of those in the run directories.
    """
    boards = summary.boards if boards is None else boards
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True)
    curves = curves_figure(list(summary.rows()))
    coordinates = [figure for table in summary.tables if (figure := parallel_coordinates(table))]
    figures = {f"coordinates-{number}": figure for number, figure in enumerate(coordinates)}
    figures |= summary.search_figures()
    if curves:
        figures["curves"] = curves
    for number, board in enumerate(boards):
        if board.runs:
            figures[f"chroma-{number}"] = chroma_figure(board)
        if board.scale_tables():
            figures[f"scales-{number}"] = scale_figure(board)
    page = environment.get_template("page.html.jinja").render(
        tables=[_table(table) for table in summary.tables],
        groups=[_groups(table) for table in summary.tables if table.groups.several_seeds],
        differences=DIFFERENCES,
        two=_difference_of_two(summary),
        cost=summary.cost(),
        cost_caption=CAPTION,
        galleries=[
            [(label, _strip(images)) for label, images in gallery.rows()]
            for gallery in summary.galleries
        ],
        images=[len(gallery.gray) for gallery in summary.galleries],
        figures={name: figure.to_json() for name, figure in figures.items()},
        searches=[name for name in figures if name.startswith("search")],
        plotly=get_plotlyjs() if figures else None,
        boards=[_explained(board, number) for number, board in enumerate(boards)],
        notes=summary.notes(),
        count=len(summary.finished),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
    write_text(path, page)


def _difference_of_two(summary: Summary) -> list[Section]:
    """How the runs differ where there are two; more would be compared pair by pair."""
    named = list(summary.rows())
    if len(named) != 2:
        return []
    (first, one), (second, other) = named
    sections = [part for part in differences(one, other) if part.title != "cost"]
    sections[0].notes = [f"{sections[0].titles[1]}: {first}", f"{sections[0].titles[2]}: {second}"]
    for part in sections:
        lines = part.patch.splitlines()
        if len(lines) > MOST_PATCH_LINES:
            part.patch = "\n".join([*lines[:MOST_PATCH_LINES], "… colorizer diff shows the rest"])
    return [part for part in sections if part.differs]


def _table(table: Table) -> dict[str, object]:
    def line(row: Row) -> dict[str, object]:
        # None is an exact copy's infinite PSNR; a metric that is not there sorts by its blank cell.
        known = {k: "1e999" if v is None else repr(v) for k, v in row.metrics.items()}
        values = [known.get(name, "") for name in table.metrics]
        keys = ["", *(row.varied.get(key, "") for key in table.varied), *values]
        return {"cells": list(zip(table.cells(row), keys, strict=True))}

    return {
        "title": table.title,
        "titles": table.titles,
        "text_columns": 1 + len(table.varied),
        "before": [line(row) for row in table.before],
        "runs": [line(row) for row in table.runs],
        "after": [line(row) for row in table.after],
    }


def _explained(board: Scoreboard, number: int) -> dict[str, object]:
    """The protocol's readings, and the pictures that explain its numbers."""
    pictures = board.pictures
    tiles: Iterable[Tensor] = ab_pictures(list(pictures.values())) if pictures else []
    return {
        "title": board.title,
        "readings": board.tables(),
        "classes": class_table(board),
        "chroma": f"chroma-{number}",
        "scales": f"scales-{number}",
        "scale_tables": board.scale_tables(),
        "extremes": [
            (name, [(label, _strip(images)) for label, images in extremes(found)])
            for name, found in pictures.items()
        ],
        "ab": [
            (name, _strip(tile[None])) for name, tile in zip([*pictures, REAL], tiles, strict=False)
        ],
    }


def _groups(table: Table) -> dict[str, object]:
    """The groups over seeds, and their differences."""
    titles, lines = table.group_lines()
    return {
        "title": table.title,
        "text_columns": max(1, len(table.groups.keys)),
        "parts": [
            (titles, lines),
            (table.groups.difference_titles, table.groups.differences()),
        ],
    }


def _strip(images: Tensor) -> str:
    """Images side by side, one pixel apart, as a data address of a PNG."""
    count, _, height, width = images.shape
    strip = Image.new("RGBA", (count * (width + 1) - 1, height))
    for column, image in enumerate(images):
        tile = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
        strip.paste(tile, (column * (width + 1), 0))
    file = io.BytesIO()
    strip.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
