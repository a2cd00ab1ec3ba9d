"""What the commands print: lines and tables."""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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


def say(text: str = "") -> None:
    """Print a line to standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print a line to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def metrics_of(rows: Iterable[Mapping[str, float | None]]) -> list[str]:
    """The names of the metrics that any of some rows has, in the order of the tables."""
    found = set().union(*rows)
    return [name for name in METRICS if name in found]


def metric_cells(metrics: Mapping[str, float | None], names: Iterable[str]) -> list[str]:
    """The cells of one row: None, an infinite PSNR, is `inf`; a missing metric is blank."""
    cells = []
    for name in names:
        digits = style_of(name)[1]
        if name not in metrics:
            cells.append("")
            continue
        value = metrics[name]
        cells.append("inf" if value is None or math.isinf(value) else format(value, digits))
    return cells


def metric_titles(names: Iterable[str]) -> list[str]:
    """The titles of `metric_cells`."""
    return [style_of(name)[0] for name in names]


def table_heading(
    data: str, images: int | str, split: str, protocol: str, caveat: str | None
) -> str:
    """What stands above every table: on what, and how, its rows were scored."""
    count = f"{images:,}" if isinstance(images, int) else images
    return f"{data}, {count} {split} images, protocol {protocol}" + (
        f" — {caveat}" if caveat else ""
    )


def text_table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns aligned with spaces: the first to the left, the others to the right."""
    widths = _widths(titles, rows)
    rule = ["-" * width for width in widths]
    lines = [_padded(titles, widths), rule, *(_padded(row, widths) for row in rows)]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The same as Markdown."""
    titles, *rows = [[str(cell).replace("|", r"\|") for cell in row] for row in (titles, *rows)]
    widths = [max(2, width) for width in _widths(titles, rows)]  # "-:" at least
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [_padded(titles, widths), rule, *(_padded(row, widths) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _widths(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    return [max(len(str(cell)) for cell in column) for column in zip(titles, *rows, strict=True)]


def _padded(row: Sequence[Any], widths: Sequence[int]) -> list[str]:
    return [
        str(cell).ljust(width) if column == 0 else str(cell).rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def duration(seconds: float) -> str:
    """A time to wait, roughly: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def last_line(error: object) -> str:
    """The last line of an error's message, with its name."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    name = type(error).__name__
    return f"{name}: {lines[-1]}" if lines else name
