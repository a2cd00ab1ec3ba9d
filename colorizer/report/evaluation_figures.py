"""Pictures that explain the protocol's numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import torch
from kornia.color import lab_to_rgb
from plotly.colors import qualitative
from plotly.subplots import make_subplots
from torch import Tensor

from colorizer.color import luma
from colorizer.console import markdown_table
from colorizer.evaluation.board import Scoreboard
from colorizer.metrics.ab_divergence import BINS, LOWEST, STEP
from colorizer.metrics.tables import shown, style_of
from colorizer.pictures import picture_of_rows, to_bytes
from colorizer.runs import REAL, Pictures

# Of the colours that stand for bins of ab.
LIGHTNESS = 65.0

# Pixels in a bin from which on it is painted at all, as a share of all pixels.
FAINTEST = 1e-5

# Pixels of a picture for each bin.
BIN_PIXELS = 5

# Of curves.
LAYOUT = {
    "template": "plotly_white",
    "height": 420,
    "margin": {"l": 70, "r": 20, "t": 50, "b": 50},
    "legend": {"orientation": "h", "y": -0.22},
}


def extremes(pictures: Pictures) -> list[tuple[str, Tensor]]:
    """Rows gray, predicted and true of the best, the median and the worst images by ΔE00."""
    true = torch.from_numpy(pictures.true)
    gray = to_bytes(luma(true.float() / 255).expand(-1, 3, -1, -1))
    return [("gray", gray), ("predicted", torch.from_numpy(pictures.predicted)), ("true", true)]


def ab_pictures(pictures: Sequence[Pictures]) -> Tensor:
    """Histograms of ab, the real images' last: uint8 (N + 1, 3, S, S); a to the right, b upwards.

    Every bin has its own colour, the deeper the more pixels there are, on a logarithmic scale. As
    far out as any of them has colours.
    """
    counts = np.stack([*(p.ab for p in pictures), pictures[0].real_ab])
    painted = torch.stack([_painted(count) for count in counts])
    inked = (painted < 250).any(1).any(0)
    used = (inked | inked.flip(0) | inked.flip(1) | inked.flip(0, 1)).nonzero()
    first, last = int(used.min()), int(used.max()) + 1
    return painted[..., first:last, first:last]


def _painted(counts: npt.NDArray[np.int64]) -> Tensor:
    share = torch.from_numpy(counts / counts.sum()).view(BINS, BINS).float()
    depth = (share.clamp(min=FAINTEST) / FAINTEST).log10() / np.log10(0.1 / FAINTEST)
    middle = torch.arange(BINS) * STEP + LOWEST + STEP / 2
    a, b = torch.meshgrid(middle, middle, indexing="ij")
    lab = torch.stack([torch.full_like(a, LIGHTNESS), a, b]).unsqueeze(0)
    colour = lab_to_rgb(lab)[0]
    painted = 1 + (colour - 1) * depth.clamp(0, 1)
    upright = painted.transpose(1, 2).flip(1)
    enlarged = upright.repeat_interleave(BIN_PIXELS, 1).repeat_interleave(BIN_PIXELS, 2)
    return to_bytes(enlarged)


def write_figures(board: Scoreboard, folder: Path) -> None:
    """Write protocol.md, ab.png and extremes.png."""
    (folder / "protocol.md").write_text(board.text(markdown_table) + "\n")
    if board.pictures:
        tiles = ab_pictures(list(board.pictures.values()))
        names = [*board.pictures, REAL]
        picture_of_rows(
            [(name, tile[None]) for name, tile in zip(names, tiles, strict=True)], scale=1
        ).save(folder / "ab.png")
        strips = [
            (f"{name}, {label}" if label == "predicted" else label, images)
            for name, found in board.pictures.items()
            for label, images in extremes(found)
        ]
        picture_of_rows(strips, scale=2).save(folder / "extremes.png")


def class_table(board: Scoreboard) -> tuple[list[str], list[list[str]]]:
    """Titles and lines: the classes, of each run; what judges see in gray and in real images."""
    runs = board.runs
    first = board.rows[REAL].classes
    judged = any("gray" in metrics for metrics in first.values())
    metrics = [name for name in shown("classes") if judged or name != "semantic_accuracy"]
    titles = ["class", *(["gray: semantic", "real: semantic"] if judged else [])]
    titles += [f"{name}: {style_of(metric)[0]}" for name in runs for metric in metrics]
    lines = []
    for label, of_class in first.items():
        line = [label, *([f"{of_class[key]:.1f}" for key in ("gray", "real")] if judged else [])]
        for run in runs.values():
            own = run.classes[label]
            # A run that no judge looked at may stand beside those that were judged.
            line += [
                format(own[metric], style_of(metric)[1]) if metric in own else ""
                for metric in metrics
            ]
        lines.append(line)
    return titles, lines


def scale_figure(board: Scoreboard) -> go.Figure:
    """Error, strength of the detail, and its correlation with luminance detail, by scale."""
    titles = ("error of the chroma", "strength of its detail", "correlation with luminance detail")
    figure = make_subplots(cols=3, subplot_titles=titles, horizontal_spacing=0.06)
    rows = {name: row.by_scale for name, row in board.rows.items() if row.by_scale}
    shown_rows = {name: rows[name] for name in [*board.runs, REAL] if name in rows}
    for number, (name, found) in enumerate(shown_rows.items()):
        detail = [255 * energy**0.5 for energy in found["predicted"]]
        error = [255 * energy**0.5 for energy in found["error"]]
        curves = (error, [None, *detail[1:]], [None, *found["with_light"][1:]])
        real = name == REAL
        color = "#8a93a0" if real else qualitative.D3[number % len(qualitative.D3)]
        for column, values in enumerate(curves, start=1):
            if real and column == 1:
                continue
            figure.add_scatter(
                x=found["scale"],
                y=values,
                name=name,
                legendgroup=name,
                showlegend=column == (2 if real else 1),
                mode="lines+markers",
                line={"color": color, "width": 2, "dash": "dot" if real else "solid"},
                marker={"size": 5},
                row=1,
                col=column,
            )
    figure.update_xaxes(title="scale, in pixels", type="category")
    figure.update_yaxes(title="root mean square, 8-bit units", rangemode="tozero", col=1)
    figure.update_yaxes(rangemode="tozero", col=2)
    figure.update_layout(LAYOUT)
    return figure


def chroma_figure(board: Scoreboard) -> go.Figure:
    """ΔE00, and the predicted chroma, against the true chroma of a pixel."""
    figure = make_subplots(
        cols=2, subplot_titles=("error", "predicted chroma"), horizontal_spacing=0.08
    )
    for number, (name, run) in enumerate(board.runs.items()):
        curve = run.by_chroma
        for column, key in enumerate(("delta_e", "predicted"), start=1):
            figure.add_scatter(
                x=curve["chroma"],
                y=curve[key],
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                mode="lines+markers",
                line={"color": qualitative.D3[number % len(qualitative.D3)], "width": 2},
                marker={"size": 5},
                row=1,
                col=column,
            )
    longest = max(board.rows[REAL].by_chroma["chroma"])
    figure.add_scatter(
        x=[0, longest],
        y=[0, longest],
        name="real images",
        mode="lines",
        line={"color": "#8a93a0", "dash": "dot"},
        row=1,
        col=2,
    )
    figure.update_xaxes(title="true chroma C* of a pixel")
    figure.update_yaxes(title="mean ΔE00", rangemode="tozero", col=1)
    figure.update_yaxes(title="mean C* of the output", rangemode="tozero", col=2)
    figure.update_layout(LAYOUT)
    return figure
