"""The page as a Dash application: what is shown when."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flask
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from colorizer.dashboard import grid, pictures, views
from colorizer.dashboard.layout import TABS, page
from colorizer.dashboard.scene import Scene, sweeps_of
from colorizer.dashboard.system import System
from colorizer.dashboard.watch import Snapshot, Watch
from colorizer.errors import first_line
from colorizer.report.figures import curve_metrics

log = logging.getLogger(__name__)

RUN_CHOICES = ("run", "pictures-run", "one", "other")


class Scenes:
    """The scenes that open pages ask for, each made once.

    Args:
        watch: where the runs come from.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._lock = threading.Lock()
        self._snapshot = Snapshot()
        self._made: OrderedDict[tuple[Any, ...], Scene] = OrderedDict()
        self._busy = 0

    def look(self) -> Snapshot:
        """Read what has changed; nothing while pages are made of what was read before."""
        if self._busy < 2 or not self._snapshot.version:
            self._snapshot = self.watch.look()
        return self._snapshot

    def follow(self, server: flask.Flask) -> None:
        """Count the answers that are being made."""

        @server.before_request
        def begin() -> None:
            with self._lock:
                self._busy += 1

        @server.teardown_request
        def end(_: BaseException | None) -> None:
            with self._lock:
                self._busy -= 1

    @property
    def snapshot(self) -> Snapshot:
        """The runs at the last look."""
        return self._snapshot if self._snapshot.version else self.look()

    def scene(self, sweep: str | None, shown: Sequence[str] | None = None) -> Scene:
        """Some runs.

        Args:
            sweep: the folder that holds them; all where there is none.
            shown: of these, those in the table.
        """
        snapshot = self.snapshot
        key = (snapshot.version, sweep, None if shown is None else frozenset(shown))
        with self._lock:
            if key not in self._made:
                if shown is None:
                    made = _within(snapshot, sweep)
                else:
                    whole = self._made.get((*key[:2], None)) or _within(snapshot, sweep)
                    made = whole.only(shown)
                self._made[key] = made
                while len(self._made) > 12:
                    self._made.popitem(last=False)
            return self._made[key]


def _within(snapshot: Snapshot, sweep: str | None) -> Scene:
    if not sweep:
        return Scene(snapshot.runs, snapshot.damaged)
    folder = Path(sweep)
    damaged = {path: why for path, why in snapshot.damaged.items() if folder in path.parents}
    return Scene([run for run in snapshot.runs if folder in run.folder.parents], damaged)


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
    _show_runs(app, scenes, system)
    _show_plots(app, scenes)
    _show_pictures(app, scenes)
    _show_details(app, scenes)
    _show_system(app, scenes, system)
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


def _show_runs(app: Dash, scenes: Scenes, system: System) -> None:
    @app.callback(
        Output("version", "data"),
        Output("machine", "children"),
        Input("tick", "n_intervals"),
        State("version", "data"),
    )
    def look(_: int, version: int) -> Any:
        sample = system.samples[-1] if system.samples else system.sample()
        now = scenes.look().version
        return no_update if now == version else now, views.machine(sample)

    @app.callback(Output("sweep", "options"), Input("version", "data"), State("sweep", "options"))
    def choose(_: int, before: Any) -> Any:
        snapshot = scenes.snapshot
        sweeps = [{"label": name, "value": folder} for folder, name in sweeps_of(snapshot.runs)]
        options = [{"label": f"all {len(snapshot.runs)} runs", "value": ""}, *sweeps]
        return no_update if options == before else options

    @app.callback(
        Output("table", "rowData"),
        Output("table", "columnDefs"),
        Output("table", "dashGridOptions"),
        Output("chips", "children"),
        Input("version", "data"),
        Input("sweep", "value"),
        State("table", "columnDefs"),
        State("table", "dashGridOptions"),
    )
    def fill(_: int, sweep: str, columns: Any, options: dict[str, Any]) -> Any:
        scene = scenes.scene(sweep)
        before, after = scene.references()
        pinned = {**options, "pinnedTopRowData": before, "pinnedBottomRowData": after}
        new = grid.run_columns(scene)
        return (
            scene.rows,
            no_update if new == columns else new,
            no_update if pinned == options else pinned,
            views.chips(scene),
        )

    @app.callback(
        Output("groups", "rowData"),
        Output("groups", "columnDefs"),
        Input("version", "data"),
        Input("sweep", "value"),
        Input("shown", "data"),
        Input("rows", "value"),
        State("groups", "columnDefs"),
    )
    def fill_groups(_: int, sweep: str, shown: list[str] | None, rows: str, columns: Any) -> Any:
        if rows != "groups":
            raise PreventUpdate
        groups = scenes.scene(sweep, shown).groups
        new = grid.group_columns(groups)
        return grid.group_rows(groups), no_update if new == columns else new


def _show_plots(app: Dash, scenes: Scenes) -> None:
    @app.callback(
        Output("metric", "options"),
        Output("metric", "value"),
        Input("version", "data"),
        Input("sweep", "value"),
        State("metric", "value"),
    )
    def choose_metric(_: int, sweep: str, value: str | None) -> Any:
        metrics = curve_metrics(scenes.scene(sweep).runs)
        return metrics, value if value in metrics else next(iter(metrics), None)

    @app.callback(
        Output("curves-place", "children"),
        Output("curves-note", "children"),
        Input("version", "data"),
        Input("sweep", "value"),
        Input("shown", "data"),
        Input("metric", "value"),
        Input("lines", "value"),
        Input("log", "value"),
        Input("tab", "value"),
    )
    def draw(
        _: int,
        sweep: str,
        shown: list[str] | None,
        metric: str | None,
        lines: str,
        log: list[str],
        tab: str,
    ) -> Any:
        if tab != "curves":
            raise PreventUpdate
        if not metric:
            return views.graph("curves", views.nothing("no curves yet")), ""
        scene = scenes.scene(sweep, shown)
        note = f"{len(scene.runs)} runs; the band is a standard deviation over seeds each way"
        figure = views.curves(scene, metric, lines, bool(log))
        return views.graph("curves", figure), note if lines == "groups" else ""

    @app.callback(
        Output("coordinates", "children"),
        Input("version", "data"),
        Input("sweep", "value"),
        Input("shown", "data"),
        Input("tab", "value"),
    )
    def draw_settings(_: int, sweep: str, shown: list[str] | None, tab: str) -> Any:
        if tab != "settings":
            raise PreventUpdate
        return views.coordinates(scenes.scene(sweep, shown))


def _show_pictures(app: Dash, scenes: Scenes) -> None:
    @app.callback(
        Output("strips", "children"),
        Input("tick", "n_intervals"),
        Input("sweep", "value"),
        Input("shown", "data"),
        Input("pictures-of", "value"),
        Input("pictures-run", "value"),
        Input("tab", "value"),
    )
    def show(
        _: int,
        sweep: str,
        shown: list[str] | None,
        which: str,
        folder: str | None,
        tab: str,
    ) -> Any:
        if tab != "pictures":
            raise PreventUpdate
        if which == "many":
            found = views.many_pictures(scenes.scene(sweep, shown))
        else:
            run = scenes.snapshot.run(folder)
            found = views.one_run_pictures(run) if run else ""
        return found


def _show_details(app: Dash, scenes: Scenes) -> None:
    @app.callback(
        *(Output(name, "options") for name in RUN_CHOICES),
        *(Output(name, "value") for name in RUN_CHOICES),
        Output("tab", "value"),
        Input("version", "data"),
        Input("sweep", "value"),
        Input("table", "cellClicked"),
        Input("table", "selectedRows"),
        *(State(name, "value") for name in RUN_CHOICES),
        State("tab", "value"),
    )
    def choose(_: int, sweep: str, clicked: Any, selected: Any, *before: Any) -> Any:
        *values, tab = before
        scene = scenes.scene(sweep)
        names = [{"label": name, "value": folder} for folder, name in scene.names.items()]
        chosen = dict(zip(RUN_CHOICES, values, strict=True))
        first = [run.folder for _, run in scene.summary.rows()] or [r.folder for r in scene.runs]
        for name in RUN_CHOICES:
            if chosen[name] not in scene.names:
                place = min(int(name == "other"), len(first) - 1)
                chosen[name] = str(first[place]) if first else None
        trigger = ctx.triggered_prop_ids
        opened = clicked if "table.cellClicked" in trigger and clicked else {}
        if opened.get("colId") == "name" and opened.get("rowId") in scene.names:
            chosen["run"] = chosen["pictures-run"] = opened["rowId"]
            tab = "run"
        if "table.selectedRows" in trigger and selected:
            ticked = [row["id"] for row in selected if row["id"] in scene.names]
            chosen |= dict(zip(("one", "other"), ticked[:2], strict=False))
        return *([names] * len(RUN_CHOICES)), *chosen.values(), tab

    @app.callback(
        Output("about", "children"),
        Input("version", "data"),
        Input("run", "value"),
        Input("tab", "value"),
        State("sweep", "value"),
    )
    def tell(_: int, folder: str | None, tab: str, sweep: str) -> Any:
        run = scenes.snapshot.run(folder)
        if tab != "run" or not run:
            raise PreventUpdate
        return views.about(run, scenes.scene(sweep).names.get(str(folder), run.name))

    @app.callback(
        Output("difference", "children"),
        Input("version", "data"),
        Input("one", "value"),
        Input("other", "value"),
        Input("tab", "value"),
    )
    def compare(_: int, one: str | None, other: str | None, tab: str) -> Any:
        first, second = (scenes.snapshot.run(folder) for folder in (one, other))
        if tab != "difference" or not first or not second:
            raise PreventUpdate
        return views.difference(first, second)


def _show_system(app: Dash, scenes: Scenes, system: System) -> None:
    @app.callback(
        Output("load-place", "children"),
        Output("processes", "children"),
        Input("tick", "n_intervals"),
        Input("tab", "value"),
        State("sweep", "value"),
    )
    def show(_: int, tab: str, sweep: str) -> Any:
        if tab != "system":
            raise PreventUpdate
        scene = scenes.scene(sweep)
        figure = views.load(list(system.samples))
        use = system.processes(scene.runs)
        return views.graph("load", figure), views.processes(scene, use)


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
