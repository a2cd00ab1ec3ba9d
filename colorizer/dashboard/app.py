"""The page as a Dash application: what is shown when."""

import logging
from collections.abc import Sequence
from pathlib import Path

import flask
from dash import ClientsideFunction, Dash, Input, Output, State

from colorizer.dashboard import answers, pictures
from colorizer.dashboard.layout import TABS, page
from colorizer.dashboard.scenes import Scenes
from colorizer.dashboard.system import System
from colorizer.dashboard.watch import Watch
from colorizer.errors import first_line

log = logging.getLogger(__name__)


def make_app(folders: Sequence[Path], system: System) -> Dash:
    """The application; `app.server` is what a server serves.

    Args:
        folders: of runs.
        system: which samples the machine.
    """
    scenes = Scenes(Watch(folders))
    scenes.look()
    app = Dash(
        "colorizer",
        title="colorizer",
        update_title="",
        assets_folder=str(Path(__file__).parent / "assets"),
        on_error=_say,
        enable_mcp=False,
    )
    app.layout = page(", ".join(map(str, folders)))
    scenes.follow(app.server)
    _serve_pictures(app.server, scenes)
    for show in (
        *(answers.show_runs, answers.show_groups, answers.show_metrics, answers.show_plots),
        *(answers.show_pictures, answers.show_choices, answers.show_details),
    ):
        show(app, scenes)
    for show_machine in (answers.follow, answers.show_system):
        show_machine(app, scenes, system)
    for name in ("views", "shown", "find", "rows"):
        _in_the_browser(app, name)
    return app


def _say(error: Exception) -> None:
    """Log what a view could not show, such as a run that was just removed."""
    log.warning(f"not shown: {type(error).__name__}: {first_line(error)}")


def _serve_pictures(server: flask.Flask, scenes: Scenes) -> None:
    @server.get("/picture")
    def picture() -> flask.Response:
        wanted = flask.request.args
        run = scenes.snapshot.run(wanted.get("run"))
        found = run and pictures.read_strip(run.folder, wanted.get("name", ""), wanted["row"])
        if not found:
            flask.abort(404)
        answer = flask.Response(found, mimetype="image/png")
        answer.cache_control.max_age = 86400
        return answer


def _in_the_browser(app: Dash, name: str) -> None:
    """Connect a function of assets/page.js."""
    outputs_and_inputs = {
        "views": (
            *(Output(f"view-{tab}", "style") for tab in TABS),
            Input("tab", "value"),
        ),
        "shown": (
            Output("shown", "data"),
            Output("count", "children"),
            Input("table", "virtualRowData"),
            Input("table", "rowData"),
            State("shown", "data"),
        ),
        "find": (
            Output("find", "title"),
            Input("find", "value"),
        ),
        "rows": (
            Output("runs-table", "style"),
            Output("groups-table", "style"),
            Input("rows", "value"),
        ),
    }
    app.clientside_callback(ClientsideFunction("colorizer", name), *outputs_and_inputs[name])
