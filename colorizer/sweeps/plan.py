"""The plan of a sweep: its jobs, their run directories, and which are left to run."""

import fcntl
import itertools
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from colorizer.errors import UserError, shown
from colorizer.files import read_object, write_json
from colorizer.runs import check_free, read_status, state_of
from colorizer.sweeps.contents import Plan

PLAN = "sweep.json"
SEARCH = "search.json"
LOCK = ".lock"

# Of the number of a job.
MOST_DIGITS = 10

log = logging.getLogger(__name__)

# What the same command does not run again.
SETTLED = ("finished", "failed", "pruned")
# What it begins, or goes on with.
PENDING = ("waiting", "interrupted", "died")


class WantedJob(NamedTuple):
    """One training that a command line asks for.

    Args:
        overrides: as for `colorizer train`.
        title: the varied values.
        settings: see `settings_fingerprint`.
        code: see `job_code`.
    """

    overrides: Sequence[str]
    title: str
    settings: str
    code: str


@dataclass(frozen=True)
class PlannedJob:
    """One training of a sweep.

    Args:
        folder: its run directory.
        overrides, title, settings: see `WantedJob`.
    """

    folder: Path
    overrides: tuple[str, ...]
    title: str
    settings: str

    @property
    def status(self) -> dict[str, Any]:
        """The run's status; `{"state": "waiting"}` before it begins, or where it is damaged."""
        try:
            return read_status(self.folder) or {"state": "waiting"}
        except UserError:
            return {"state": "waiting"}

    @property
    def state(self) -> str:
        """The state, see `state_of`; `waiting` before it begins."""
        return state_of(self.status)

    @property
    def label(self) -> str:
        """Its number and title, for messages."""
        return f"job {self.folder.name} ({self.title})"


@dataclass
class Sweep:
    """The folder of a sweep.

    Args:
        folder: holds a numbered run directory for each job, the plan and the report.
    """

    folder: Path

    def plan(self, jobs: Sequence[WantedJob], retry_failed: bool = False) -> list[PlannedJob]:
        """Find each job's run directory: the one it has already, or a new one.

        A run of the same settings and code stands if it is finished, or failed and not
        `retry_failed`; so does one that is running on another machine. An interrupted one is gone
        on with, if the code is still the same.
        """
        known = self._newest()
        free = self._free_folders()
        planned = []
        for overrides, title, settings, code in jobs:
            folder, status = known.get(settings, (None, {}))
            state = state_of(status) if status else "waiting"
            # On another machine: whether it is alive cannot be told from here.
            stands = state == "running" or status.get("code") == code
            if folder is None or not stands or (retry_failed and state in ("failed", "running")):
                folder = next(free)
            planned.append(PlannedJob(folder, tuple(overrides), title, settings))
            known[settings] = (folder, {"state": "finished", "code": code})
        return planned

    def _newest(self) -> dict[str, tuple[Path | None, Mapping[str, Any]]]:
        """The last run directory of each settings, with its status."""
        newest: dict[str, tuple[Path | None, Mapping[str, Any]]] = {}
        for folder in self.numbered():
            try:
                status = read_status(folder)
            except UserError as error:
                log.warning(f"{error}: the job is begun again")
                continue
            if status and "settings" in status:
                newest[status["settings"]] = (folder, status)
        return newest

    def numbered(self) -> list[Path]:
        """The numbered folders in order, with or without a run."""
        folders = self.folder.glob("[0-9]*") if self.folder.is_dir() else ()
        return sorted((f for f in folders if f.name.isdecimal()), key=lambda f: int(f.name))

    def _free_folders(self) -> Iterator[Path]:
        """Run directories for new jobs, in order.

        Also those that a killed process made and put no run in: so a job gets the same number as
        without the kill.
        """
        for number in itertools.count():
            folder = self.folder / str(number)
            with suppress(UserError):
                if folder.exists():
                    check_free(folder)
                yield folder

    def write(self, jobs: Sequence[PlannedJob], begun: Sequence[PlannedJob]) -> None:
        """Write the plan.

        Args:
            jobs: all jobs.
            begun: those that are to run now.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "run": [job.folder.name for job in begun],
            "jobs": [{**asdict(job), "folder": job.folder.name} for job in jobs],
        }
        write_json(self.folder / PLAN, content)

    def read(self) -> tuple[list[PlannedJob], list[PlannedJob]]:
        """All jobs of the last command here, and those of them that it set out to run."""
        if not (self.folder / PLAN).is_file():
            return [], []
        content = read_object(self.folder / PLAN, Plan)
        for job in content["jobs"]:
            # A number, as `numbered` finds them; anything else may be no name, or lead elsewhere.
            if not (job["folder"].isdecimal() and len(job["folder"]) < MOST_DIGITS):
                wrong = f"{shown(job['folder'])} is no job's folder"
                raise UserError(f"{self.folder / PLAN} cannot be read: {wrong}")
        jobs = [
            PlannedJob(
                self.folder / job["folder"],
                tuple(job["overrides"]),
                job["title"],
                job["settings"],
            )
            for job in content["jobs"]
        ]
        return jobs, [job for job in jobs if job.folder.name in content["run"]]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second sweep out of the folder; the lock ends with the process.

        Raises:
            UserError: there is one already, or the folder cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / LOCK).open("a+")
        except OSError as error:
            raise UserError(
                f"cannot make the sweep's folder {self.folder}: {error.strerror}"
            ) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise UserError(
                    f"another sweep is at work in {self.folder} (process {file.read().strip()}): "
                    "wait for it, or choose another study"
                ) from error
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield


def check_study(name: object) -> None:
    """Check that a name can be a folder's.

    Raises:
        UserError: it cannot.
    """
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]*", name):
        raise UserError(f"study={name}: a name of letters, digits, '.', '_' and '-'")
