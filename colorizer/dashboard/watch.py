"""Runs as they go: read again where their files have changed, never locked or written."""

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from colorizer.errors import UserError, first_line
from colorizer.runs import Run, find_runs, open_run
from colorizer.runs.layout import CONFIG, ENVIRONMENT, EVALUATION, HISTORY, RESULTS, STATUS

# What a run is read from. Time and size tell whether a file has changed.
FILES = (CONFIG, ENVIRONMENT, STATUS, RESULTS, HISTORY, EVALUATION)

# Times that a run is read in vain before it counts as damaged: its files may just be written.
PATIENCE = 2

Signature = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True)
class Snapshot:
    """The runs at a moment.

    Args:
        version: another one where anything has changed.
        runs: those that can be read, sorted by folder.
        damaged: folder to what is wrong with it.
    """

    version: int = 0
    runs: tuple[Run, ...] = ()
    damaged: dict[Path, str] = field(default_factory=dict)

    def run(self, folder: str | None) -> Run | None:
        """A run by its folder; None where there is none (any more)."""
        return next((run for run in self.runs if str(run.folder) == folder), None)


@dataclass
class _Seen:
    signature: Signature = ()
    run: Run | None = None
    state: str = ""
    error: str = ""
    failures: int = 0


class Watch:
    """The runs below some folders; safe to use from several threads.

    Args:
        folders: of runs, or run directories; one that is not there yet has no runs.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = list(folders)
        self._lock = threading.Lock()
        self._seen: dict[Path, _Seen] = {}
        self._snapshot = Snapshot()

    def look(self) -> Snapshot:
        """Read what has changed since the last look."""
        with self._lock:
            found = dict.fromkeys(path for folder in self.folders for path in find_runs(folder))
            gone = [path for path in self._seen if path not in found]
            for path in gone:
                del self._seen[path]
            changed = gone + [path for path in found if self._changed(path)]
            if changed or not self._snapshot.version:
                whole = dict(sorted(self._seen.items(), key=lambda item: in_order(item[0])))
                self._snapshot = Snapshot(
                    self._snapshot.version + 1,
                    tuple(seen.run for seen in whole.values() if seen.run),
                    {path: seen.error for path, seen in whole.items() if seen.error},
                )
            return self._snapshot

    def _changed(self, path: Path) -> bool:
        """Read a run where it has changed; true if the page has to show something else."""
        before = self._seen.get(path, _Seen())
        signature = signature_of(path)
        if before.signature == signature and before.failures in (0, PATIENCE):
            state = before.run.state if before.run else ""  # its process may be gone
            died, before.state = state != before.state, state
            return died
        try:
            run = read_run(path)
        except UserError as error:
            failures = min(before.failures + 1, PATIENCE)
            if failures < PATIENCE:
                self._seen[path] = replace(before, signature=signature, failures=failures)
                return False
            self._seen[path] = _Seen(signature, error=first_line(error), failures=failures)
            return self._seen[path].error != before.error
        self._seen[path] = _Seen(signature, run, run.state)
        return True


def in_order(path: Path) -> list[tuple[int, str]]:
    """A key to sort by: job 9 comes before job 10."""
    return [(int(part) if part.isdecimal() else -1, part) for part in path.parts]


def signature_of(folder: Path) -> Signature:
    """Time and size of the files of a run; None for one that is not there."""
    found: list[tuple[int, int] | None] = []
    for name in FILES:
        try:
            stat = (folder / name).stat()
            found.append((stat.st_mtime_ns, stat.st_size))
        except OSError:
            found.append(None)
    return tuple(found)


def read_run(folder: Path) -> Run:
    """Open a run and read what the page shows of it, an unfinished one as far as it is.

    Raises:
        UserError: some of it cannot be read.
    """
    try:
        run = open_run(folder)
        int(run.config.seed)
        _ = run.config.monitor_mode, run.config.task._target_, run.environment, run.evaluation
        run.history()
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{folder}: {type(error).__name__}: {first_line(error)}") from error
    return run


def so_far(run: Run) -> Run:
    """An unfinished run as if it had ended at its best epoch, which its `interim` says.

    One that has not been validated yet, or does not say what it is trained on, stays as it is.
    """
    if run.state == "finished" or "data" not in run.results:
        return run
    rows = [row for row in run.rows() if row.get(run.config.monitor) and row.get("epoch")]
    if not rows:
        return run
    sign = -1 if run.config.monitor_mode == "max" else 1
    best = min(rows, key=lambda row: sign * float(row[run.config.monitor]))
    metrics = {k: float(v) for k, v in best.items() if k.startswith("val/") and v}
    made = copy.copy(run)
    epochs = int(float(rows[-1]["epoch"])) + 1
    made.results = {**run.results, **metrics, "note": f"{run.state}, after epoch {epochs}"}
    return made
