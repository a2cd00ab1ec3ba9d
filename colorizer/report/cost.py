"""A table of what runs have cost."""

from collections.abc import Callable, Sequence

from colorizer.console import duration
from colorizer.costs import together
from colorizer.runs import Run, cost_of

CAPTION = "cost of training, validation and scoring, all sittings; of the memory, the peak"

# Number, title, and how it is written.
COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {
    "seconds": ("time", duration),
    "cpu_seconds": ("CPU time", duration),
    "gpu_seconds": ("GPU time", duration),
    "memory_bytes": ("memory", lambda value: f"{value / 2**20:,.0f} MiB"),
    "gpu_memory_bytes": ("GPU memory", lambda value: f"{value / 2**20:,.0f} MiB"),
    "images": ("images", lambda value: f"{value:,.0f}"),
    "cpu_joules": ("CPU energy", lambda value: f"{value / 3600:,.2f} Wh"),
    "gpu_joules": ("GPU energy", lambda value: f"{value / 3600:,.2f} Wh"),
}


def cost_table(
    lines: Sequence[tuple[str, Sequence[Run]]],
) -> tuple[list[str], list[list[str]]] | None:
    """Titles and lines of what runs have cost; None where no record says it.

    Args:
        lines: a name, and the runs that it stands for.
    """
    costs = [(name, runs, [cost for run in runs if (cost := cost_of(run))]) for name, runs in lines]
    costs = [line for line in costs if line[1]]
    every = [cost for _, _, own in costs for cost in own]
    if not every:
        return None
    several = any(len(runs) > 1 for _, runs, _ in costs)
    if len(costs) > 1:
        costs.append(("all", [run for _, runs, _ in costs for run in runs], every))
    sums = [together(own) for _, _, own in costs]
    shown = [key for key in COLUMNS if any(total.get(key) for total in sums)]
    found = []
    for (name, runs, own), total in zip(costs, sums, strict=True):
        counts = [str(len(own)) if len(own) == len(runs) else f"{len(own)} of {len(runs)}"]
        cells = [COLUMNS[key][1](total[key]) if total.get(key) else "" for key in shown]
        found.append([name, *(counts if several else []), *cells])
    titles = [COLUMNS[key][0] for key in shown]
    return ["run", *(["runs"] if several else []), *titles], found
