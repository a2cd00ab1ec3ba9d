"""The scenes that open pages ask for, each made once."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flask

from colorizer.dashboard.scene import Scene
from colorizer.dashboard.watch import Snapshot, Watch


class Scenes:
    """The scenes that open pages ask for, each made once.

    Args:
        watch: where the runs come from.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._lock = threading.Lock()
        self._snapshot = Snapshot()
        self._made: OrderedDict[tuple[Any, ...], Scene] = OrderedDict()
        self._busy = 0

    def look(self) -> Snapshot:
        """Read what has changed; nothing while pages are made of what was read before."""
        if self._busy < 2 or not self._snapshot.version:
            self._snapshot = self.watch.look()
        return self._snapshot

    def follow(self, server: flask.Flask) -> None:
        """Count the answers that are being made."""

        @server.before_request
        def begin() -> None:
            with self._lock:
                self._busy += 1

        @server.teardown_request
        def end(_: BaseException | None) -> None:
            with self._lock:
                self._busy -= 1

    @property
    def snapshot(self) -> Snapshot:
        """The runs at the last look."""
        return self._snapshot if self._snapshot.version else self.look()

    def scene(self, sweep: str | None, shown: Sequence[str] | None = None) -> Scene:
        """Some runs.

        Args:
            sweep: the folder that holds them; all where there is none.
            shown: of these, those in the table.
        """
        snapshot = self.snapshot
        key = (snapshot.version, sweep, None if shown is None else frozenset(shown))
        with self._lock:
            if key not in self._made:
                if shown is None:
                    made = _within(snapshot, sweep)
                else:
                    whole = self._made.get((*key[:2], None)) or _within(snapshot, sweep)
                    made = whole.only(shown)
                self._made[key] = made
                while len(self._made) > 12:
                    self._made.popitem(last=False)
            return self._made[key]


def _within(snapshot: Snapshot, sweep: str | None) -> Scene:
    if not sweep:
        return Scene(snapshot.runs, snapshot.damaged)
    folder = Path(sweep)
    damaged = {path: why for path, why in snapshot.damaged.items() if folder in path.parents}
    return Scene([run for run in snapshot.runs if folder in run.folder.parents], damaged)
