"""What is on the page, before anything is read."""

from typing import Any

import dash_ag_grid as dag
from dash import dcc, html

from colorizer.dashboard.grid import DEFAULT, OPTIONS

# Milliseconds between two looks at the run directories.
EVERY = 2000

TABS = {
    "runs": "Runs",
    "curves": "Curves",
    "settings": "Settings",
    "pictures": "Pictures",
    "run": "One run",
    "difference": "Difference",
    "system": "System",
}

# Figures are put in when they are seen: plotly's 5 MB would keep the table waiting.
FIGURE: Any = {"displaylogo": False, "responsive": True}


def page(folders: str) -> Any:
    """The page.

    Args:
        folders: what is shown, for the heading.
    """
    return html.Div(
        [
            dcc.Interval(id="tick", interval=EVERY),
            dcc.Store(id="version", data=0),
            dcc.Store(id="shown"),
            html.Header(
                [
                    html.Div([html.H1("colorizer"), html.Span(folders, className="folders")]),
                    html.Div(id="machine", className="machine"),
                ]
            ),
            html.Div(
                [
                    dcc.Dropdown(id="sweep", clearable=False, className="sweep", value=""),
                    html.Div(id="chips", className="chips"),
                ],
                className="bar",
            ),
            dcc.Tabs(
                [dcc.Tab(label=text, value=name) for name, text in TABS.items()],
                id="tab",
                value="runs",
                className="tabs",
            ),
            *(html.Section(VIEWS[name](), id=f"view-{name}") for name in TABS),
        ]
    )


def grid(name: str, **options: Any) -> Any:
    """An empty table."""
    return dag.AgGrid(
        id=name,
        columnDefs=[],
        rowData=[],
        defaultColDef=DEFAULT,
        getRowId="params.data.id",
        columnSize=None,
        dashGridOptions={**OPTIONS, **options},
        className="ag-theme-quartz",
        style={"height": "calc(100vh - 250px)", "minHeight": "320px"},
    )


def _runs() -> list[Any]:
    choice = {
        "mode": "multiRow",
        "enableClickSelection": False,
        "checkboxes": {"function": "!params.node.rowPinned"},
        "headerCheckbox": False,
    }
    return [
        _controls(
            dcc.RadioItems(
                {"runs": "every run", "groups": "mean ± std over seeds"},
                "runs",
                id="rows",
                inline=True,
            ),
            dcc.Input(id="find", placeholder="find …", type="search", debounce=False),
            html.Span(id="count", className="note"),
            html.Span(
                "A name opens its run. Tick two runs for their difference. Curves and settings "
                "show what the filters leave.",
                className="note",
            ),
        ),
        html.Div(grid("table", rowSelection=choice), id="runs-table"),
        html.Div(grid("groups"), id="groups-table", style={"display": "none"}),
    ]


def _curves() -> list[Any]:
    return [
        _controls(
            dcc.Dropdown(id="metric", clearable=False, className="metric"),
            dcc.RadioItems(
                {"groups": "mean and band over seeds", "runs": "every run"},
                "groups",
                id="lines",
                inline=True,
            ),
            dcc.Checklist({"log": "logarithmic"}, [], id="log", inline=True),
        ),
        html.Div(id="curves-place"),
        html.P(id="curves-note", className="note"),
    ]


def _settings() -> list[Any]:
    return [
        html.P(
            "A line for each run, unfinished ones at their best epoch so far. Drag along an axis "
            "to keep the runs that pass there.",
            className="note",
        ),
        html.Div(id="coordinates"),
    ]


def _pictures() -> list[Any]:
    return [
        _controls(
            dcc.RadioItems(
                {"one": "one run, epoch by epoch", "many": "the best runs, newest epoch"},
                "one",
                id="pictures-of",
                inline=True,
            ),
            _run_choice("pictures-run"),
        ),
        html.Div(id="strips", className="strips"),
    ]


def _run() -> list[Any]:
    return [_controls(_run_choice("run")), html.Div(id="about")]


def _difference() -> list[Any]:
    return [
        _controls(_run_choice("one"), html.Span("and", className="note"), _run_choice("other")),
        html.Div(id="difference"),
    ]


def _system() -> list[Any]:
    return [html.Div(id="load-place"), html.Div(id="processes")]


def _controls(*children: Any) -> Any:
    return html.Div(list(children), className="controls")


def _run_choice(name: str) -> Any:
    return dcc.Dropdown(id=name, className="run", placeholder="a run", maxHeight=420)


VIEWS = {
    "runs": _runs,
    "curves": _curves,
    "settings": _settings,
    "pictures": _pictures,
    "run": _run,
    "difference": _difference,
    "system": _system,
}
