"""Figures of the page: learning curves, and what was varied."""

import math
from collections.abc import Iterable, Iterator, Sequence

import plotly.graph_objects as go
from plotly.colors import qualitative

from colorizer.report.table import Table
from colorizer.runs import Run

# Name, and metric to (epoch, value), of each run.
Histories = Sequence[tuple[str, dict[str, list[tuple[float, float]]]]]

# Curves that are shown first, where there are any.
FIRST_CURVES = ("val/psnr", "val/mse", "train/loss")


# Above this, only the best runs' curves have a name.
MANY_RUNS = 24


def parallel_coordinates(table: Table) -> go.Figure | None:
    """Draw the varied settings against the monitored metric, a line for each run.

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


def curves_figure(runs: Sequence[tuple[str, Run]], metrics: Sequence[str] = ()) -> go.Figure | None:
    """Draw every metric over the epochs; a menu chooses which one is shown.

    Of many runs the best have a colour each, and the rest are one gray line. None where there are
    no curves.

    Args:
        runs: with their names, the best first.
        metrics: those to draw; by default all that there are.
    """
    histories = [(name, run.history()) for name, run in runs]
    metrics = metrics or curve_metrics(run for _, run in runs)
    if not any(metric in history for metric in metrics for _, history in histories):
        return None
    named = len(histories) if len(histories) <= MANY_RUNS else len(qualitative.D3)
    figure = go.Figure()
    owners = []
    for metric in metrics:
        for curve in _curves(histories, named, metric):
            figure.add_trace(curve.update(visible=metric == metrics[0]))
            owners.append(metric)
    buttons = [
        {
            "label": metric,
            "method": "update",
            "args": [
                {"visible": [owner == metric for owner in owners]},
                {"yaxis.title.text": metric},
            ],
        }
        for metric in metrics
    ]
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.16}
    figure.update_layout(
        template="plotly_white",
        height=max(460, 60 + 22 * named),
        margin={"l": 70, "r": 20, "t": 60, "b": 50},
        xaxis={"title": "epoch", "dtick": 1 if _longest(histories) <= 20 else None},
        yaxis={"title": metrics[0]},
        showlegend=True,
        updatemenus=[menu] if len(metrics) > 1 else [],
    )
    return figure


def curve_metrics(runs: Iterable[Run]) -> list[str]:
    """The metrics that any of some runs has a curve of, those that are shown first in front."""
    metrics = sorted({metric for run in runs for metric in run.history()})
    metrics = [metric for metric in metrics if not metric.startswith("test/")]
    first = [metric for metric in FIRST_CURVES if metric in metrics]
    return [*first, *(metric for metric in metrics if metric not in first)]


def _curves(histories: Histories, named: int, metric: str) -> Iterator[go.Scatter | go.Scattergl]:
    """Yield a metric's curves: those without a name as one, then one for each run with a name."""
    epochs: list[float | None] = []
    values: list[float | None] = []
    for _, history in histories[named:]:
        points = history.get(metric, [])
        epochs += [*(epoch for epoch, _ in points), None]  # None lifts the pen
        values += [*(value for _, value in points), None]
    if histories[named:]:
        yield go.Scattergl(
            x=epochs,
            y=values,
            name=f"the other {len(histories) - named}",
            mode="lines",
            line={"color": "rgba(120, 130, 140, 0.35)", "width": 1},
        )
    for number, (name, history) in enumerate(histories[:named]):
        if metric in history:
            own_epochs, own_values = zip(*history[metric], strict=True)
            yield go.Scatter(
                x=own_epochs,
                y=own_values,
                name=name,
                mode="lines+markers",
                line={"color": qualitative.D3[number % len(qualitative.D3)], "width": 2},
                marker={"size": 5},
            )


def _longest(histories: Histories) -> float:
    return max(
        point[0] for _, history in histories for curve in history.values() for point in curve
    )
