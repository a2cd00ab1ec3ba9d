"""The report as one self-contained HTML page."""

import base64
import io
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import plotly.graph_objects as go
from PIL import Image
from plotly.colors import qualitative
from plotly.offline import get_plotlyjs
from torch import Tensor

from colorizer.evaluation.board import Scoreboard
from colorizer.files import write_text
from colorizer.report.plausibility import ab_pictures, chroma_figure, class_table, extremes
from colorizer.report.summary import DIFFERENCES, Row, Summary, Table
from colorizer.runs import REAL

# Curves that are shown first, where there are any.
FIRST_CURVES = ("val/psnr", "val/mse", "train/loss")

# Above this, only the best runs' curves have a name.
MANY_RUNS = 24


def write_page(summary: Summary, path: Path, boards: Sequence[Scoreboard] | None = None) -> None:
    """Write the page; it needs no other file and no network.

    Args:
        summary: of the runs.
        path: the page.
        boards: what was scored by the whole protocol, where that is not what the runs have kept.
    """
    boards = summary.boards if boards is None else boards
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True)
    curves = _curves(summary)
    coordinates = [figure for table in summary.tables if (figure := parallel_coordinates(table))]
    figures = {f"coordinates-{number}": figure for number, figure in enumerate(coordinates)}
    figures |= summary.search_figures()
    if curves:
        figures["curves"] = curves
    figures |= {f"chroma-{n}": chroma_figure(board) for n, board in enumerate(boards) if board.runs}
    page = environment.get_template("page.html.jinja").render(
        tables=[_table(table) for table in summary.tables],
        groups=[_groups(table) for table in summary.tables if table.groups.several_seeds],
        differences=DIFFERENCES,
        galleries=[
            [(label, _strip(images)) for label, images in gallery.rows()]
            for gallery in summary.galleries
        ],
        images=[len(gallery.gray) for gallery in summary.galleries],
        figures={name: figure.to_json() for name, figure in figures.items()},
        searches=[name for name in figures if name.startswith("search")],
        plotly=get_plotlyjs() if figures else None,
        boards=[_explained(board, f"chroma-{number}") for number, board in enumerate(boards)],
        notes=summary.notes(),
        count=len(summary.finished),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
    write_text(path, page)


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


def _explained(board: Scoreboard, chroma: str) -> dict[str, object]:
    """The protocol's readings, and the pictures that explain its numbers."""
    pictures = board.pictures
    tiles: Iterable[Tensor] = ab_pictures(list(pictures.values())) if pictures else []
    return {
        "title": board.title,
        "readings": board.tables(),
        "classes": class_table(board),
        "chroma": chroma,
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


def parallel_coordinates(table: Table) -> go.Figure | None:
    """What was varied against the monitored metric, a line for each run.

    None where there is too little to see: fewer than two settings or three runs.
    """
    keys, runs = table.varied, [row.run for row in table.runs if row.run]
    if len(keys) < 2 or len(runs) < 3:
        return None
    monitor = table.groups.monitor
    psnr = f"{table.groups.split}/psnr"
    dimensions = [_axis(key, [row.varied.get(key, "") for row in table.runs]) for key in keys]
    for metric in dict.fromkeys((psnr, monitor)):
        values = [run.results.get(metric) for run in runs]
        dimensions.append({"label": metric, "values": values})
    colour = [run.results.get(monitor) for run in runs]
    figure = go.Figure(
        go.Parcoords(
            line={
                "color": colour,
                "colorscale": "Viridis",
                "reversescale": True,
                "showscale": True,
                "colorbar": {"title": monitor, "thickness": 14},
            },
            dimensions=dimensions,
            labelfont={"size": 13},
            tickfont={"size": 12},
        )
    )
    # The first axis has its labels at the left, each letter 7 pixels wide at most.
    longest = max(len(row.varied.get(keys[0], "")) for row in table.runs)
    left = max(90, 20 + 7 * longest)
    figure.update_layout(height=440, margin={"l": left, "r": 40, "t": 70, "b": 30})
    return figure


def _axis(key: str, texts: list[str]) -> dict[str, object]:
    """A dimension of the plot: numbers as they are, names and few values one above the other."""
    numbers = [_number(text) for text in texts]
    distinct = sorted(set(texts), key=lambda text: (_number(text) is None, _number(text), text))
    if None in numbers or len(distinct) <= 8:
        places = {text: place for place, text in enumerate(distinct)}
        return {
            "label": key,
            "values": [places[text] for text in texts],
            "tickvals": list(places.values()),
            "ticktext": [text or "none" for text in places],
            # A single value would have no axis.
            "range": [-0.5, len(distinct) - 0.5],
        }
    values = [float(number) for number in numbers if number is not None]
    if min(values) > 0 and max(values) / min(values) >= 30:
        exponents = [math.log10(value) for value in values]
        ticks = range(math.floor(min(exponents)), math.ceil(max(exponents)) + 1)
        return {
            "label": key,
            "values": exponents,
            "tickvals": list(ticks),
            "ticktext": [f"1e{tick}" for tick in ticks],
        }
    return {"label": key, "values": values}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _curves(summary: Summary) -> go.Figure | None:
    """Every metric over the epochs; a menu chooses which one is shown.

    Of many runs the best have a colour each, and the rest are one gray line.
    """
    histories = [(name, run.history()) for name, run in summary.rows()]
    metrics = sorted({metric for _, history in histories for metric in history})
    metrics = [m for m in metrics if not m.startswith("test/")]
    if not metrics:
        return None
    first = [metric for metric in FIRST_CURVES if metric in metrics]
    metrics = [*first, *(metric for metric in metrics if metric not in first)]
    colours = qualitative.D3
    named = len(histories) if len(histories) <= MANY_RUNS else len(colours)
    figure = go.Figure()
    owners = []
    for metric in metrics:
        rest: tuple[list[float | None], list[float | None]] = ([], [])
        for _, history in histories[named:]:
            for epoch, value in history.get(metric, ()):
                rest[0].append(epoch)
                rest[1].append(value)
            rest[0].append(None)  # lifts the pen
            rest[1].append(None)
        if histories[named:]:
            figure.add_scattergl(
                x=rest[0],
                y=rest[1],
                name=f"the other {len(histories) - named}",
                mode="lines",
                line={"color": "rgba(120, 130, 140, 0.35)", "width": 1},
                visible=metric == metrics[0],
            )
            owners.append(metric)
        for number, (name, history) in enumerate(histories[:named]):
            if metric in history:
                epochs, values = zip(*history[metric], strict=True)
                figure.add_scatter(
                    x=epochs,
                    y=values,
                    name=name,
                    mode="lines+markers",
                    line={"color": colours[number % len(colours)], "width": 2},
                    marker={"size": 5},
                    visible=metric == metrics[0],
                )
                owners.append(metric)
    figure.update_layout(
        template="plotly_white",
        height=max(460, 60 + 22 * named),
        margin={"l": 70, "r": 20, "t": 60, "b": 50},
        xaxis={"title": "epoch", "dtick": 1 if _longest(histories) <= 20 else None},
        yaxis={"title": metrics[0]},
        showlegend=True,
        updatemenus=[
            {
                "buttons": [
                    {
                        "label": metric,
                        "method": "update",
                        "args": [
                            {"visible": [owner == metric for owner in owners]},
                            {"yaxis.title.text": metric},
                        ],
                    }
                    for metric in metrics
                ],
                "x": 0,
                "xanchor": "left",
                "y": 1.16,
            }
        ],
    )
    return figure


def _longest(histories: list[tuple[str, dict[str, list[tuple[float, float]]]]]) -> float:
    return max(
        point[0] for _, history in histories for curve in history.values() for point in curve
    )


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
