"""Hydra's sweeper for every combination of values, as Hydra finds it.

Hydra imports this at every start, so what it needs is imported when it is used.
"""

from typing import Any

from hydra_plugins.colorizer_sweepers._launching import LaunchingSweeper


class GridSweeper(LaunchingSweeper):
    """Runs the jobs that were planned in the sweep's folder.

    Args:
        params: read when the jobs are composed, see `colorizer.config.compose_jobs`.
    """

    def __init__(self, params: dict[str, str] | None = None) -> None:
        self.params = params

    def sweep(self, arguments: list[str]) -> Any:
        """Run what is left to run; the plan says what that is, not the arguments."""
        from pathlib import Path

        from colorizer.sweeps.plan import Sweep
        from colorizer.sweeps.run import launch

        sweep = Sweep(Path(self.config.hydra.sweep.dir))
        jobs, todo = sweep.read()
        launch(self.launcher, todo)
        sweep.write(jobs, [])
        return jobs
