"""What the views show of some runs: rows of the table, groups, names."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from colorizer.dashboard.watch import so_far
from colorizer.errors import UserError
from colorizer.metrics.tables import metrics_of
from colorizer.report import Summary
from colorizer.report.groups import SEED, Groups
from colorizer.runs import Run, unique_names, varied_settings
from colorizer.runs.names import distinct_suffixes
from colorizer.sweeps.plan import Sweep

# In the order of the chips above the table.
STATES = ("running", "waiting", "finished", "failed", "died", "interrupted", "pruned", "damaged")


@dataclass
class Scene:
    """Some runs of a snapshot.

    Args:
        runs: that can be read.
        damaged: folder to what is wrong with it.
    """

    runs: Sequence[Run]
    damaged: dict[Path, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[str, str]:
        """Folder to a name that tells a run from the others."""
        names = unique_names(self.runs) if self.runs else []
        return {str(run.folder): name for run, name in zip(self.runs, names, strict=True)}

    @cached_property
    def varied(self) -> list[dict[str, str]]:
        """What was varied, of each run."""
        return varied_settings(self.runs)

    @cached_property
    def keys(self) -> list[str]:
        """The settings that were varied, the seed last."""
        found = {key for settings in self.varied for key in settings}
        return sorted(found, key=lambda key: (key == SEED, key))

    @cached_property
    def taken(self) -> list[Run]:
        """The runs with the metrics that they have so far, see `so_far`."""
        return [so_far(run) for run in self.runs]

    @cached_property
    def summary(self) -> Summary:
        """The report's tables and figures of the runs, unfinished ones as far as they are."""
        return Summary(self.taken)

    @cached_property
    def groups(self) -> list[Groups]:
        """Groups over seeds, with the runs that are not finished; one for each data set."""
        whole: dict[str, list[Groups]] = {}
        for table in self.summary.tables:
            whole.setdefault(table.groups.split, []).append(table.groups)
        # All runs are in the tables of validation metrics, where there are any.
        return whole.get("val") or whole.get("test") or []

    @cached_property
    def jobs(self) -> list[tuple[Path, int, int]]:
        """The sweeps that the runs belong to: folder, jobs that are planned, and yet to begin."""
        found = []
        for folder in sorted({run.folder.parent for run in self.runs}):
            try:
                planned = Sweep(folder).read()[0]
            except UserError:
                continue
            if planned:
                known = {run.folder for run in self.runs}
                waiting = sum(job.folder not in known for job in planned)
                found.append((folder, len(planned), waiting))
        return found

    def states(self) -> dict[str, int]:
        """The number of runs in each state, and of jobs that wait."""
        found = Counter(run.state for run in self.runs)
        found["damaged"] = len(self.damaged)
        found["waiting"] = sum(waiting for _, _, waiting in self.jobs)
        return {state: found[state] for state in STATES if found[state]}

    @cached_property
    def monitors(self) -> list[str]:
        """The validation metrics that the runs are chosen by, and PSNR."""
        chosen = sorted({str(run.config.monitor) for run in self.runs})
        return list(dict.fromkeys([*chosen, "val/psnr"]))

    @cached_property
    def tested(self) -> list[str]:
        """The test metrics that any run has, in the order of the tables."""
        return [f"test/{name}" for name in metrics_of(run.metrics("test") for run in self.runs)]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A row of the table for each run, damaged ones last."""
        rows = []
        for run, shown, settings in zip(self.runs, self.taken, self.varied, strict=True):
            error = str(run.status.get("error") or "")
            rows.append(
                {
                    "id": str(run.folder),
                    "name": self.names[str(run.folder)],
                    "state": run.state,
                    **progress(run),
                    **{key: as_number(settings.get(key, "")) for key in self.keys},
                    **{
                        metric: plain(shown.numbers[metric])
                        for metric in (*self.monitors, *self.tested)
                        if metric in shown.numbers
                    },
                    "updated": run.status.get("updated", "")[:16].replace("T", " "),
                    "error": error.splitlines()[-1] if error else "",
                }
            )
        for folder, error in self.damaged.items():
            row = {"id": str(folder), "name": folder.name, "state": "damaged", "error": error}
            rows.append(row)
        return rows

    def references(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows of the baselines, and of the real images; none where the data are not the same."""
        tables = [table for table in self.summary.tables if table.groups.split == "test"]
        if len(tables) != 1:
            return [], []
        before, after = (
            [
                {
                    "id": f"reference {row.name}",
                    "name": row.name,
                    "state": "",
                    **{f"test/{name}": plain(value) for name, value in row.metrics.items()},
                }
                for row in rows
            ]
            for rows in (tables[0].before, tables[0].after)
        )
        return before, after

    def only(self, folders: Sequence[str] | None) -> "Scene":
        """The runs in some folders; all where there are none."""
        if folders is None or set(folders) >= set(self.names):
            return self
        wanted = set(folders)
        return Scene([run for run in self.runs if str(run.folder) in wanted])


def progress(run: Run) -> dict[str, Any]:
    """Epochs that are over, and how many there will be."""
    # What is tested at the end counts as an epoch more.
    rows = [row for row in run.rows() if row.get("epoch") and row.get(run.config.monitor)]
    epochs = [float(row["epoch"]) + 1 for row in rows]
    whole = OmegaConf.select(run.config, "trainer.max_epochs")
    return {
        "epoch": int(max(epochs, default=0)),
        "epochs": whole if isinstance(whole, int) and whole > 0 else None,
    }


def as_number(text: str) -> float | str | None:
    """A setting as a number where it is one, so that it can be sorted; None for a blank."""
    try:
        number = float(text)
    except ValueError:
        return text or None
    return number if math.isfinite(number) else text


def plain(value: Any) -> Any:
    """A metric as JSON has it: an exact copy's infinite PSNR as text."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "inf"
    return value


def sweeps_of(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Folders that hold several runs, with the shortest name that tells them apart."""
    counts = Counter(run.folder.parent for run in runs)
    folders = sorted(folder for folder, count in counts.items() if count > 1)
    return [(str(f), name) for f, name in zip(folders, distinct_suffixes(folders), strict=True)]
