"""What the views show, as Dash's components."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import plotly.graph_objects as go
from dash import dcc, html
from omegaconf import OmegaConf

from colorizer.console import duration
from colorizer.dashboard import pictures
from colorizer.dashboard.layout import FIGURE
from colorizer.dashboard.scene import Scene, progress
from colorizer.dashboard.system import Sample
from colorizer.dashboard.watch import so_far
from colorizer.errors import shown
from colorizer.metrics.tables import metric_cells, metric_titles, metrics_of
from colorizer.report.bands import LEGEND, bands_figure
from colorizer.report.difference import differences
from colorizer.report.figures import FIRST_CURVES, curves_figure, parallel_coordinates
from colorizer.runs import Run

# Runs whose pictures are shown below each other.
MOST_RUNS = 12

SMALL: Any = {**FIGURE, "displayModeBar": False}


def chips(scene: Scene) -> list[Any]:
    """How many runs are in each state, and how far the sweeps are."""
    found: list[Any] = [
        html.Span([html.B(str(count)), f" {state}"], className=f"chip {state}")
        for state, count in scene.states().items()
    ]
    planned = sum(jobs for _, jobs, _ in scene.jobs)
    if planned:
        waiting = sum(count for _, _, count in scene.jobs)
        running = scene.states().get("running", 0)
        over = planned - waiting - running
        found.append(
            html.Span(
                [
                    html.Progress(value=str(over), max=str(planned)),
                    f" {over} of {planned} jobs{_left(scene, waiting + running, running)}",
                ],
                className="note",
            )
        )
    return found


def _left(scene: Scene, jobs: int, running: int) -> str:
    """How long the jobs that are left will take, going by those that are over."""
    seconds = [run.results.get("train/seconds") for run in scene.runs if run.state == "finished"]
    known = [value for value in seconds if isinstance(value, int | float)]
    if not jobs or not running or not known:
        return ""
    return f", {duration(sum(known) / len(known) * jobs / running)} of training left"


def curves(scene: Scene, metric: str, lines: str, logarithmic: bool) -> go.Figure:
    """A metric over the epochs, of groups over seeds or of every run."""
    if lines == "groups":
        figure = bands_figure(scene.groups, metric)
    else:
        figure = curves_figure(list(scene.summary.rows()), [metric])
    if figure is None:
        return nothing(f"no {metric} yet")
    figure.update_layout(
        # Zoom and hidden lines stay while the same thing is shown.
        uirevision=f"{metric} {lines} {logarithmic}",
        yaxis={"type": "log" if logarithmic else "linear"},
        height=None,
        margin={"t": 20},
    )
    for trace in figure.data:
        trace.name = shown(trace.name, most=LEGEND + len(" (n=100)"))
    return figure


def graph(name: str, figure: go.Figure) -> Any:
    """A figure on the page."""
    return dcc.Graph(id=name, figure=figure, config=FIGURE)


def nothing(text: str) -> go.Figure:
    """An empty figure that says why."""
    figure = go.Figure()
    figure.update_layout(
        template="plotly_white",
        xaxis={"visible": False},
        yaxis={"visible": False},
        annotations=[{"text": text, "showarrow": False, "font": {"size": 16, "color": "#5b6675"}}],
    )
    return figure


def coordinates(scene: Scene) -> list[Any]:
    """Parallel coordinates of what was varied, for each data set."""
    found = []
    for table in scene.summary.tables:
        if table.groups.split == "test" and len(scene.summary.tables) > 1:
            tested = len(table.runs)
            if any(len(other.runs) >= tested for other in scene.summary.tables if other != table):
                continue  # the table of validation metrics has these runs and more
        figure = parallel_coordinates(table)
        if figure:
            figure.update_layout(uirevision=table.title)
            found += [html.H3(table.title), dcc.Graph(figure=figure, config=FIGURE)]
    return found or [
        html.P("Two settings have to be varied, and three runs validated.", className="note")
    ]


def gallery(strips: Iterable[tuple[str, Run, pictures.Strip | None]]) -> Any:
    """Rows of example images with a label each."""
    rows = []
    for label, run, strip in strips:
        if strip:
            query = {"name": strip.name, "row": strip.row, "changed": strip.changed}
            address = f"picture?{urlencode({'run': str(run.folder), **query})}"
            rows += [html.Span(label), html.Img(src=address, alt=f"{label}: {strip.row}")]
    if not rows:
        text = "no pictures yet: one is written after an epoch, see callbacks.examples.min_seconds"
        return html.P(text, className="note")
    return html.Div(rows, className="gallery")


def one_run_pictures(run: Run) -> Any:
    """Gray, what is predicted after each epoch, and true."""
    return gallery((strip.label, run, strip) for strip in pictures.strips(run))


def many_pictures(scene: Scene) -> Any:
    """The newest pictures of the best runs, between gray and true of the first."""
    best = list(scene.summary.rows())[:MOST_RUNS]
    found = [(name, run, pictures.newest(run)) for name, run in best]
    with_any = [(name, run, strip) for name, run, strip in found if strip]
    if not with_any:
        return gallery([])
    _, run, strip = with_any[0]
    return gallery(
        [
            ("gray", run, strip._replace(row="gray")),
            *((f"{name}, {strip.label}", run, strip) for name, run, strip in with_any),
            ("true", run, strip._replace(row="true")),
        ]
    )


def about(run: Run, name: str) -> list[Any]:
    """Everything about a run."""
    taken, going = so_far(run), progress(run)
    of = f" of {going['epochs']}" if going["epochs"] else ""
    facts = {
        "folder": str(run.folder),
        "command": run.environment.get("command", ""),
        "epochs": f"{going['epoch']}{of}",
        "began": str(run.status.get("started", ""))[:19],
        "last written": str(run.status.get("updated", ""))[:19],
        "machine": run.status.get("host", ""),
        "code": str((run.environment.get("git") or {}).get("commit", ""))[:12],
    }
    error = run.status.get("traceback") or run.status.get("error")
    return [
        html.H2([name, html.Span(run.state, className=f"chip {run.state}")]),
        table(["", ""], [[key, value] for key, value in facts.items() if value], "facts"),
        *([html.Pre(error, className="error")] if error else []),
        *([html.P(f"Metrics {taken.interim}.", className="note")] if taken.interim else []),
        *_numbers(taken),
        html.Div(
            [
                dcc.Graph(figure=_small(figure, metric), config=SMALL, className="small")
                for metric in FIRST_CURVES
                if (figure := curves_figure([(name, run)], [metric]))
            ],
            className="row",
        ),
        one_run_pictures(run),
        html.Details([html.Summary("config"), html.Pre(OmegaConf.to_yaml(run.config))]),
    ]


def _small(figure: go.Figure, metric: str) -> go.Figure:
    return figure.update_layout(
        height=260, showlegend=False, uirevision=metric, margin={"t": 16, "b": 40, "l": 60}
    )


def _numbers(run: Run) -> list[Any]:
    """The metrics of a run, a line for each split."""
    rows = {split: run.metrics(split) for split in ("val", "test")}
    rows = {split: metrics for split, metrics in rows.items() if metrics}
    columns = metrics_of(rows.values())
    lines = [[split, *metric_cells(row, columns)] for split, row in rows.items()]
    return [table(["", *metric_titles(columns)], lines)] if lines else []


def difference(one: Run, other: Run) -> list[Any]:
    """How two runs differ, part by part."""
    found: list[Any] = []
    for section in differences(one, other):
        found.append(html.H3(section.title))
        found += [html.P(note, className="note") for note in section.notes]
        if section.rows:
            found.append(table(section.titles, section.rows))
        else:
            found.append(html.P("the same", className="note"))
    return found


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], style: str = "") -> Any:
    """A plain table."""
    return html.Div(
        html.Table(
            [
                html.Thead(html.Tr([html.Th(title) for title in titles])) if any(titles) else None,
                html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows]),
            ],
            className=f"plain {style}",
        ),
        className="scroll",
    )


def machine(sample: Sample) -> list[Any]:
    """A line about the machine."""
    parts = [f"CPU {sample.cpu:.0f} %", f"memory {sample.used:.1f} of {sample.total:.1f} GiB"]
    parts += [
        f"GPU {number} {gpu.busy:.0f} %, {gpu.used:.1f} of {gpu.total:.1f} GiB"
        for number, gpu in enumerate(sample.gpus)
    ]
    return [html.Span(part) for part in parts]


def load(samples: Sequence[Sample]) -> go.Figure:
    """Processors, memory and GPUs over the last minutes, in percent."""
    times = [datetime.fromtimestamp(sample.time).astimezone() for sample in samples]
    lines = {
        "CPU": [sample.cpu for sample in samples],
        "memory": [100 * sample.used / sample.total for sample in samples],
    }
    for number in range(max((len(sample.gpus) for sample in samples), default=0)):
        own = [sample.gpus[number] for sample in samples if number < len(sample.gpus)]
        lines[f"GPU {number}"] = [gpu.busy for gpu in own]
        lines[f"memory of GPU {number}"] = [100 * gpu.used / gpu.total for gpu in own]
    figure = go.Figure([go.Scatter(x=times, y=own, name=name) for name, own in lines.items()])
    return figure.update_layout(
        template="plotly_white",
        height=320,
        margin={"l": 60, "r": 20, "t": 16, "b": 40},
        yaxis={"title": "percent", "range": [0, 102]},
        uirevision="load",
        showlegend=True,
    )


def processes(scene: Scene, use: Mapping[str, tuple[float, float]]) -> Any:
    """What the runs on this machine use."""
    rows = [
        [scene.names[folder], f"{cpu:.0f} %", f"{memory:.2f} GiB"]
        for folder, (cpu, memory) in use.items()
        if folder in scene.names
    ]
    if not rows:
        return html.P("No run is training on this machine.", className="note")
    return table(["run", "of a core", "memory"], rows)
