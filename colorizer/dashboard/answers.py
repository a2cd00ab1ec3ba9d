"""What the server answers as something is chosen, clicked, or has changed: Dash's callbacks."""

from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from colorizer.dashboard import grid, views
from colorizer.dashboard.scene import sweeps_of
from colorizer.dashboard.scenes import Scenes
from colorizer.dashboard.system import System
from colorizer.report.figures import curve_metrics

RUN_CHOICES = ("run", "pictures-run", "one", "other")


def follow(app: Dash, scenes: Scenes, system: System) -> None:
    """Look for what has changed, and show what the machine is doing."""

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


def show_runs(app: Dash, scenes: Scenes) -> None:
    """Fill the choice of sweeps and the table of runs."""

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


def show_groups(app: Dash, scenes: Scenes) -> None:
    """Fill the table of groups over seeds."""

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


def show_metrics(app: Dash, scenes: Scenes) -> None:
    """Fill the choice of metrics."""

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


def show_plots(app: Dash, scenes: Scenes) -> None:
    """Draw curves and parallel coordinates."""

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


def show_pictures(app: Dash, scenes: Scenes) -> None:
    """Show example pictures."""

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


def show_choices(app: Dash, scenes: Scenes) -> None:
    """Fill the choices of runs; a clicked or ticked row of the table chooses."""

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


def show_details(app: Dash, scenes: Scenes) -> None:
    """Show one run, and the difference of two."""

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


def show_system(app: Dash, scenes: Scenes, system: System) -> None:
    """Draw what the machine is doing."""

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
