"""What came of a search, as figures: its course, importances, the race, the Pareto front."""

from typing import Any

import plotly.graph_objects as go
from plotly.colors import qualitative

from colorizer.sweeps.race import Race, Racer, verdict
from colorizer.sweeps.search import Search
from colorizer.sweeps.search_results import importances
from colorizer.sweeps.search_settings import FrozenTrial, optuna
from colorizer.sweeps.trial_texts import value_text

COLOUR, PALE = qualitative.Plotly[0], "#bbbbbb"


def search_figures(search: Search) -> dict[str, Any]:
    """Figures of a search, by name, those that there is something to show in."""
    if not search.ranked():
        return {}
    figures = {"history": _history(search)}
    if shares := importances(search):
        figures["importances"] = _importances(shares)
    if racers := Race(search).racers():
        figures["race"] = _race(racers, search)
    if len(search.objectives) > 1:
        figures["front"] = _front(search)
    return figures


def _history(search: Search) -> go.Figure:
    # With a target, Optuna leaves out the line of the best so far.
    target = (lambda trial: trial.values[0]) if len(search.objectives) > 1 else None
    figure: go.Figure = optuna.visualization.plot_optimization_history(
        search.study, target=target, target_name=search.monitor
    )
    return figure


def _importances(shares: dict[str, tuple[float, float, float]]) -> go.Figure:
    """Bars with their 95 % intervals, the largest on top."""
    names = list(shares)[::-1]
    means, lows, highs = zip(*(shares[name] for name in names), strict=True)
    figure = go.Figure(
        go.Bar(
            x=means,
            y=names,
            orientation="h",
            marker={"color": COLOUR},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - mean for mean, high in zip(means, highs, strict=True)],
                "arrayminus": [mean - low for mean, low in zip(means, lows, strict=True)],
            },
        )
    )
    figure.update_layout(
        title="Which parameters the trials' differences come from (PED-ANOVA), 95 % intervals",
        xaxis={"title": "share", "range": [0, 1]},
        yaxis={"automargin": True},
        height=180 + 45 * len(names),
    )
    return figure


def _race(racers: list[Racer], search: Search) -> go.Figure:
    """A row for each trial, the best on top: its runs of further seeds, and their mean."""
    figure = go.Figure()
    names = [f"trial {racer.trial.number}" for racer in racers]
    for name, racer in zip(names, racers, strict=True):
        standing = racer.standing
        colour = PALE if standing and standing.told_apart else COLOUR
        texts = [f"{name}, seed {seed}<br>{_settings(racer.trial)}" for seed in racer.values]
        values = list(racer.values.values())
        common = {"showlegend": False, "mode": "markers"}
        figure.add_scatter(
            x=values,
            y=[name] * len(values),
            text=texts,
            marker={"color": colour, "size": 8, "opacity": 0.6},
            hovertemplate="%{text}<br>%{x:.6f}<extra></extra>",
            **common,
        )
        chance = f", best with probability {standing.best:.2f}" if standing else ""
        figure.add_scatter(
            x=[racer.mean],
            y=[name],
            text=[f"mean of {name}{chance}<br>{_settings(racer.trial)}"],
            marker={"color": colour, "size": 18, "symbol": "line-ns", "line": {"width": 3}},
            marker_line_color=colour,
            hovertemplate="%{text}<br>%{x:.6f}<extra></extra>",
            **common,
        )
    figure.update_layout(
        title=f"Race over seeds: {verdict(racers)}",
        xaxis={"title": search.monitor},
        yaxis={"categoryorder": "array", "categoryarray": names[::-1], "automargin": True},
        height=180 + 40 * len(racers),
    )
    return figure


def _front(search: Search) -> go.Figure:
    """The trials by two objectives, or three; in colour those that no other is better than."""
    front = {trial.number for trial in search.front()}
    names = list(search.objectives)
    axes = ("y", "x", "z")[: len(names)]
    figure = go.Figure()
    for title, colour, trials in (
        ("others", PALE, [t for t in search.ranked() if t.number not in front]),
        ("Pareto front", COLOUR, [t for t in search.ranked() if t.number in front]),
    ):
        values = {
            axis: [trial.values[place] for trial in trials] for place, axis in enumerate(axes)
        }
        kind = go.Scatter3d if len(axes) > 2 else go.Scatter
        figure.add_trace(
            kind(
                **values,
                name=title,
                mode="markers",
                marker={"color": colour, "size": 5 if len(axes) > 2 else 10},
                text=[f"trial {trial.number}<br>{_settings(trial)}" for trial in trials],
                hovertemplate="%{text}<br>%{x:.6g}, %{y:.6g}<extra></extra>",
            )
        )
    titles = {f"{axis}axis": {"title": name} for axis, name in zip(axes, names, strict=False)}
    figure.update_layout(title="Pareto front", height=480)
    figure.update_layout({"scene": titles} if len(axes) > 2 else titles)
    return figure


def _settings(trial: FrozenTrial) -> str:
    return "<br>".join(f"{key}={value_text(value)}" for key, value in trial.params.items())
