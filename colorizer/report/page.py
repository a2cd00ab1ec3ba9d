"""The report as one self-contained HTML page."""

import base64
import io
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import plotly.graph_objects as go
from PIL import Image
from plotly.colors import qualitative
from plotly.offline import get_plotlyjs
from torch import Tensor

from colorizer.console import METRICS
from colorizer.report.summary import Row, Summary, Table
from colorizer.runs import write_whole

# Curves that are shown first, where there are any.
FIRST_CURVES = ("val/psnr", "val/mse", "train/loss")


def write_page(summary: Summary, path: Path) -> None:
    """Write the page; it needs no other file and no network."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True)
    curves = _curves(summary)
    page = environment.get_template("page.html.jinja").render(
        tables=[_table(table) for table in summary.tables],
        galleries=[
            [(label, _strip(images)) for label, images in gallery.rows()]
            for gallery in summary.galleries
        ],
        images=[len(gallery.gray) for gallery in summary.galleries],
        curves=curves.to_json() if curves else None,
        plotly=get_plotlyjs() if curves else None,
        unfinished=[(run.name, str(run.folder), run.state) for run in summary.unfinished],
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
    write_whole(path, page)


def _table(table: Table) -> dict[str, object]:
    def line(row: Row) -> dict[str, object]:
        # None is an exact copy's infinite PSNR; a metric that is not there sorts by its blank cell.
        known = {k: "1e999" if v is None else repr(v) for k, v in row.metrics.items()}
        values = [known.get(name, "") for name in METRICS]
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


def _curves(summary: Summary) -> go.Figure | None:
    """Every metric over the epochs; a menu chooses which one is shown."""
    histories = [(name, run.history()) for name, run in summary.rows()]
    metrics = sorted({metric for _, history in histories for metric in history})
    metrics = [m for m in metrics if not m.startswith("test/")]
    if not metrics:
        return None
    first = [metric for metric in FIRST_CURVES if metric in metrics]
    metrics = [*first, *(metric for metric in metrics if metric not in first)]
    colours = qualitative.D3
    figure = go.Figure()
    owners = []
    for metric in metrics:
        for number, (name, history) in enumerate(histories):
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
        height=460,
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
