"""Runs as a pandas data frame."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from colorizer.runs.costs import PREFIX, cost_of
from colorizer.runs.identity import flat
from colorizer.runs.opening import open_runs
from colorizer.runs.run import Run
from colorizer.runs.varied import varied_settings

if TYPE_CHECKING:
    import pandas as pd


def frame_of(*folders: str | Path) -> "pd.DataFrame":
    """The runs in some folders as a data frame, see `frame`; `colorizer.runs(...)` calls it.

    Args:
        *folders: run directories, or folders of them.

    Raises:
        UserError: a folder that is none, or holds no run.
    """
    return frame(open_runs([Path(folder) for folder in folders])[0])


def frame(runs: Sequence[Run]) -> "pd.DataFrame":
    """Make a data frame with a row for each run.

    Its columns:

    - `folder`, `name`, `state`
    - the settings in which the runs differ; their names are in `frame.attrs["varied"]`
    - `seed`
    - every other setting, such as `optimizer.lr`, and the config file that was chosen in each
      group, such as `model`
    - every number of the results, such as `test/psnr` and `cost/cpu_seconds`
    - `history`: a data frame of its own, with the `epoch` that was over (from 1), the optimizer's
      `step`, and every metric that was logged, such as `val/psnr`

    Args:
        runs: such as `[open_run(folder) for folder in find_runs(Path("outputs/first"))]`.
    """
    import pandas as pd  # takes half a second, which every training would pay

    varied = varied_settings(runs)
    rows = []
    for run, differing in zip(runs, varied, strict=True):
        settings = {**run.environment.get("choices", {}), **_settings(run)}
        first = {key: settings.get(key) for key in differing}
        rows.append(
            {
                **{"folder": str(run.folder), "name": run.name, "state": run.state},
                **first,
                "seed": run.config.seed,
                **settings,
                **{k: v for k, v in run.numbers.items() if isinstance(v, int | float) or "/" in k},
                **{f"{PREFIX}{name}": value for name, value in cost_of(run).items()},
                "history": _history(run),
            }
        )
    made = pd.DataFrame(rows)
    made.attrs["varied"] = sorted({key for settings in varied for key in settings})
    return made


def _settings(run: Run) -> dict[str, Any]:
    content = OmegaConf.to_container(run.config, resolve=False)
    return {key: value for key, value in flat(content) if key not in ("name", "run_dir")}


def _history(run: Run) -> "pd.DataFrame":
    import pandas as pd

    rows = [{k: float(v) for k, v in row.items() if v} for row in run.rows()]
    history = pd.DataFrame(rows)
    if "epoch" in history:
        history["epoch"] += 1
    return history
