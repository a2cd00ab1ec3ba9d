"""Hydra's sweeper for a search with Optuna, as Hydra finds it.

Hydra imports this at every start, so what it needs is imported when it is used.
"""

from typing import Any

from hydra_plugins.colorizer_sweepers._launching import LaunchingSweeper


class SearchSweeper(LaunchingSweeper):
    """Runs trials until there are as many as were asked for.

    Args:
        params: read when the space is composed, see `colorizer.sweeps.search_space`.
        **settings: see `colorizer.sweeps.search_settings.SearchSettings`.
    """

    def __init__(self, params: dict[str, str] | None = None, **settings: Any) -> None:
        self.params = params
        self.settings = settings

    def sweep(self, arguments: list[str]) -> Any:
        """Run the trials of the search that was set up in the sweep's folder, and race the best."""
        from pathlib import Path

        from colorizer.sweeps.race import Race
        from colorizer.sweeps.search import Search
        from colorizer.sweeps.search_settings import SearchSettings

        folder = Path(self.config.hydra.sweep.dir)
        search = Search.open(folder, SearchSettings(**self.settings))
        search.run(self.launcher)
        if search.settings.seeds > 1 and search.over:
            Race(search).run(self.launcher, search.settings.seeds)
