"""Metrics in tables: which there are, their titles, and their cells."""

import math
from collections.abc import Iterable, Mapping

# Column titles and digits of the metrics, in the order of the tables.
METRICS: dict[str, tuple[str, str]] = {
    "mse": ("MSE", ".5f"),
    "mae": ("MAE", ".4f"),
    "psnr": ("PSNR", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "delta_e": ("ΔE00", ".2f"),
    "acc2": ("acc@2", ".1f"),
    "acc5": ("acc@5", ".1f"),
    "auc": ("AuC", ".2f"),
    "colorfulness": ("colorf.", ".2f"),
    "luma_error": ("|ΔY|", ".4f"),
    "delta_cf": ("ΔCF", "+.2f"),
    "ab_divergence": ("ab div.", ".3f"),
    "semantic_accuracy": ("semantic", ".1f"),
    "recovered": ("recovered", ".1f"),
    "fd_cifar": ("FD-cifar", ".2f"),
    "diversity": ("diversity", ".2f"),
    "best_of_k": ("best of k", ".2f"),
    "afc": ("2AFC", ".1f"),
    "accuracy": ("accuracy", ".2f"),
    "cross_entropy": ("cross-entropy", ".4f"),
    "velocity_mse": ("velocity MSE", ".4f"),
}


def style_of(metric: str) -> tuple[str, str]:
    """A metric's title and format."""
    return METRICS.get(metric, (metric.replace("_", " "), ".4f"))


def names() -> list[str]:
    """The names of all metrics, in the order of the tables."""
    return list(METRICS)


def metrics_of(rows: Iterable[Mapping[str, float | None]]) -> list[str]:
    """The names of the metrics that any of some rows has, in the order of the tables."""
    found = set().union(*rows)
    return [name for name in names() if name in found]


def metric_cells(metrics: Mapping[str, float | None], shown: Iterable[str]) -> list[str]:
    """The cells of one row: None, an infinite PSNR, is `inf`; a missing metric is blank."""
    cells = []
    for name in shown:
        digits = style_of(name)[1]
        if name not in metrics:
            cells.append("")
            continue
        value = metrics[name]
        cells.append("inf" if value is None or math.isinf(value) else format(value, digits))
    return cells


def metric_titles(shown: Iterable[str]) -> list[str]:
    """The titles of `metric_cells`."""
    return [style_of(name)[0] for name in shown]
