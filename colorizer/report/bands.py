"""Learning curves over seeds: the mean of a group, and the standard deviation around it."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from plotly.colors import hex_to_rgb, qualitative

from colorizer.errors import shown
from colorizer.report.groups import Group, Groups

COLOURS = qualitative.D3
# More bands than these lie on top of each other.
MOST_BANDS = 5
# Letters of a name.
LEGEND = 48
REST = "rgba(120, 130, 140, 0.35)"


class Point(NamedTuple):
    """A metric of a group after an epoch: mean and standard deviation over `seeds` runs."""

    epoch: float
    mean: float
    std: float
    seeds: int


def points_of(group: Group, metric: str) -> list[Point]:
    """The mean curve of a group; at an epoch that only some of its runs have reached, theirs."""
    values: dict[float, list[float]] = {}
    for run in group.runs:
        for epoch, value in run.history().get(metric, []):
            values.setdefault(epoch, []).append(value)
    return [
        Point(epoch, statistics.fmean(own), statistics.stdev(own) if len(own) > 1 else 0, len(own))
        for epoch, own in sorted(values.items())
    ]


def bands_figure(tables: Sequence[Groups], metric: str) -> go.Figure | None:
    """Draw a metric over the epochs: a line for each group, and a band of a standard deviation.

    Of many groups the best have a band and a colour, or a colour, and the rest are gray lines. None
    where there are no curves.

    Args:
        tables: groups of runs, the best first, one for each data set.
        metric: such as `val/psnr`.
    """
    curves = [
        (f"{shown(groups.name(group), most=LEGEND)} (n={group.seeds})", points)
        for groups in tables
        for group in groups.groups
        if (points := points_of(group, metric))
    ]
    if not curves:
        return None
    figure = go.Figure()
    best = list(zip(curves, COLOURS, strict=False))
    for (name, points), colour in best[:MOST_BANDS]:
        figure.add_trace(_band(name, points, colour))
    for (name, points), colour in best:
        figure.add_trace(_line(name, points, colour))
    if rest := curves[len(COLOURS) :]:
        figure.add_trace(_rest([points for _, points in rest]))
    figure.update_layout(
        template="plotly_white",
        height=max(460, 60 + 22 * min(len(curves), len(COLOURS))),
        margin={"l": 70, "r": 20, "t": 20, "b": 50},
        xaxis={"title": "epoch", "dtick": 1 if _longest(curves) <= 20 else None},
        yaxis={"title": metric},
        showlegend=True,
    )
    return figure


def _longest(curves: Sequence[tuple[str, Sequence[Point]]]) -> float:
    return max(points[-1].epoch for _, points in curves)


def _rest(curves: Sequence[Sequence[Point]]) -> go.Scattergl:
    """Many mean curves as one line that is lifted between them."""
    return go.Scattergl(
        x=[x for points in curves for x in (*(point.epoch for point in points), None)],
        y=[y for points in curves for y in (*(point.mean for point in points), None)],
        name=f"the other {len(curves)}",
        mode="lines",
        line={"color": REST, "width": 1},
        hoverinfo="skip",
    )


def _line(name: str, points: Sequence[Point], colour: str) -> go.Scatter:
    return go.Scatter(
        x=[point.epoch for point in points],
        y=[point.mean for point in points],
        customdata=[(point.std, point.seeds) for point in points],
        name=name,
        legendgroup=colour,
        mode="lines",
        line={"color": colour, "width": 2},
        hovertemplate="%{y:.5g} ± %{customdata[0]:.2g}, n=%{customdata[1]}",
    )


def _band(name: str, points: Sequence[Point], colour: str) -> go.Scatter:
    red, green, blue = hex_to_rgb(colour)
    there, back = list(points), list(reversed(points))
    return go.Scatter(
        x=[point.epoch for point in (*there, *back)],
        y=[*(p.mean + p.std for p in there), *(p.mean - p.std for p in back)],
        name=name,
        legendgroup=colour,
        showlegend=False,
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=f"rgba({red}, {green}, {blue}, 0.15)",
        hoverinfo="skip",
    )
