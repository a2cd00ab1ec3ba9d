"""Runs as a pandas data frame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from colorizer.report.varied import varied_settings
from colorizer.runs import Run

if TYPE_CHECKING:
    import pandas as pd


def frame(runs: Sequence[Run]) -> "pd.DataFrame":
    """Make a data frame with a row for each run.

    Its columns are the folder, the name, the state, the settings in which the runs differ, as
    text, the seed, and every number of their results by its full name, such as `test/psnr`.

    Args:
        runs: such as `[open_run(folder) for folder in find_runs(Path("outputs/first"))]`.
    """
    import pandas as pd  # takes half a second, which every training would pay

    rows = []
    for run, settings in zip(runs, varied_settings(runs), strict=True):
        about = {"folder": str(run.folder), "name": run.name, "state": run.state}
        numbers = {k: v for k, v in run.numbers.items() if isinstance(v, int | float) or "/" in k}
        rows.append({**about, **settings, "seed": run.config.seed, **numbers})
    return pd.DataFrame(rows)
