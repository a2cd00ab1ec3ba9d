"""Columns and rows of the tables, as AG Grid takes them."""

from collections.abc import Sequence
from typing import Any

from colorizer.dashboard.scene import Scene
from colorizer.metrics.tables import style_of
from colorizer.report.groups import Groups, digits_of

OPTIONS = {
    # Names such as test/psnr and optimizer.lr are keys, not paths.
    "suppressFieldDotNotation": True,
    "rowHeight": 30,
    "headerHeight": 34,
    "floatingFiltersHeight": 32,
    "animateRows": False,
    "tooltipShowDelay": 300,
    "enableCellTextSelection": True,
    "domLayout": "normal",
}

DEFAULT = {
    "sortable": True,
    "filter": "agNumberColumnFilter",
    "floatingFilter": True,
    "suppressHeaderMenuButton": True,
    "resizable": True,
    "minWidth": 84,
}

# Settings that leave room for the metrics beside them.
FEW = 8

TEXT = {"filter": "agTextColumnFilter", "cellClass": "text"}


def run_columns(scene: Scene) -> list[dict[str, Any]]:
    """The columns of the table of runs; settings come behind the metrics where there are many."""
    settings = [_setting(scene, key) for key in scene.keys]
    metrics = [_metric(name) for name in (*scene.monitors, *scene.tested)]
    few = len(settings) <= FEW
    return [
        {
            **TEXT,
            **{"field": "name", "headerName": "run", "pinned": "left", "tooltipField": "id"},
            **{"minWidth": 150, "width": 210, "cellClass": "text name"},
        },
        {
            **TEXT,
            **{"field": "state", "headerName": "state", "width": 112, "pinned": "left"},
            "cellClass": {"function": "'text state ' + params.value"},
        },
        {
            **{"field": "epoch", "headerName": "epoch", "width": 90},
            "valueFormatter": {
                "function": "params.value == null ? '' : params.data.epochs ? "
                "params.value + ' / ' + params.data.epochs : params.value"
            },
        },
        *(settings if few else metrics),
        *(metrics if few else settings),
        {
            **TEXT,
            **{"field": "updated", "headerName": "updated", "width": 160},
            "valueFormatter": {"function": "params.value ? params.value.slice(0, 19) : ''"},
        },
        {**TEXT, "field": "error", "headerName": "error", "width": 320, "tooltipField": "error"},
    ]


def _setting(scene: Scene, key: str) -> dict[str, Any]:
    values = [row.get(key) for row in scene.rows]
    text = any(isinstance(value, str) for value in values)
    longest = max(len(key), *(len(str(value)) for value in values), 0)
    column = {"field": key, "headerName": key, "width": min(260, 46 + 8 * longest)}
    return {**TEXT, **column} if text else column


def _metric(name: str) -> dict[str, Any]:
    split, _, metric = name.partition("/")
    title, digits = style_of(metric)
    return {
        "field": name,
        "headerName": title if split == "test" else f"{split} {title}",
        "headerTooltip": name,
        "width": 100,
        "valueFormatter": {
            "function": f"params.value == null || params.value === 'inf' ? params.value : "
            f"d3.format('{digits}')(params.value)"
        },
    }


def group_columns(tables: Sequence[Groups]) -> list[dict[str, Any]]:
    """The columns of the table of groups over seeds."""
    keys = group_keys(tables)
    metrics = dict.fromkeys(metric for groups in tables for metric in metrics_of(groups))
    return [
        *({**TEXT, "field": key, "headerName": key, "minWidth": 110} for key in keys),
        {"field": "n", "headerName": "seeds", "width": 84},
        {"field": "running", "headerName": "running", "width": 96},
        *(
            {
                **_metric(metric),
                "width": 170,
                # Sorted by the mean, shown with the standard deviation.
                "valueFormatter": {"function": f"params.data['text {metric}']"},
            }
            for metric in metrics
        ),
    ]


def group_keys(tables: Sequence[Groups]) -> list[str]:
    """What tells groups apart: the settings, or a name where there are many or none."""
    keys = sorted({key for groups in tables for key in groups.keys})
    return keys if 0 < len(keys) <= FEW else ["group"]


def group_rows(tables: Sequence[Groups]) -> list[dict[str, Any]]:
    """Mean and standard deviation over seeds, the best group of a data set first."""
    rows: list[dict[str, Any]] = []
    for groups in tables:
        for group in groups.groups:
            row: dict[str, Any] = {
                "id": f"{len(rows)}",
                **group.settings,
                "group": groups.name(group),
                "n": group.seeds,
                "running": sum(run.state == "running" for run in group.runs),
            }
            for metric in metrics_of(groups):
                mean, std = group.mean(metric), group.std(metric)
                row[metric] = mean
                row[f"text {metric}"] = spread(mean, std, digits_of(metric))
            rows.append(row)
    return rows


def metrics_of(groups: Groups) -> list[str]:
    """The metrics of a table of groups: of validation, then of test, where there are any."""
    there = {name for group in groups.groups for name in group.values}
    own = [name.partition("/")[2] for name in groups.metrics]
    both = [*groups.metrics, *(f"{split}/{name}" for split in ("val", "test") for name in own)]
    return [name for name in dict.fromkeys(both) if name in there]


def spread(mean: float | None, std: float | None, digits: str) -> str:
    """`23.41 ±0.05`; blank where there is nothing."""
    if mean is None:
        return ""
    return format(mean, digits) + ("" if std is None else f" ±{format(std, digits)}")
