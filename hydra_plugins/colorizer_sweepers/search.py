"""Hydra's sweeper for a search with Optuna, as Hydra finds it.

Hydra imports this at every start, so what it needs is imported when it is used.
"""

from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SearchSweeper(Sweeper):
    """Runs trials until there are as many as were asked for.

    Args:
        params: read when the space is composed, see `colorizer.config.compose_space`.
        **settings: see `colorizer.sweeps.search.SearchSettings`.
    """

    def __init__(self, params: dict[str, str] | None = None, **settings: Any) -> None:
        self.params = params
        self.settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Make the launcher."""
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run the trials of the search that was set up in the sweep's folder."""
        from pathlib import Path

        from colorizer.sweeps.search import Search, SearchSettings

        folder = Path(self.config.hydra.sweep.dir)
        return Search.open(folder, SearchSettings(**self.settings)).run(self.launcher)
