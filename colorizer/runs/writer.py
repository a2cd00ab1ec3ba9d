"""Writing the run directory of a training."""

import contextlib
import json
import os
import secrets
import socket
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer.costs import Meter, at_once, together
from colorizer.errors import UserError
from colorizer.files import json_ready, write_json, write_text
from colorizer.processes import process_start
from colorizer.runs.code import job_modules
from colorizer.runs.environment import environment
from colorizer.runs.layout import (
    BEST,
    CONFIG,
    ENVIRONMENT,
    HISTORY,
    LAST,
    RESULTS,
    STATUS,
    check_free,
)
from colorizer.runs.resume import (
    AUTO,
    LOCK,
    batch_job,
    check_resumable,
    identity_of,
    lock,
    place_of,
    sweep_out,
)
from colorizer.runs.scores import Pictures, ScoreRecord, write_scores
from colorizer.runs.sources import keep_sources
from colorizer.runs.status import read_status


class RunWriter:
    """The run directory of a training in this process.

    Args:
        folder: made where it is missing.
        config: the resolved config, with `run_dir` pointing anywhere.
        overrides: what the command line changed.
        choices: the config file chosen in each group.
        content: of its data, see `colorizer.runs.data_content`.
        resume: whether a run that is there is gone on with, see `colorizer.runs.resume`.
        meter: what the training costs is read from it; None: it begins now.

    Raises:
        UserError: the folder cannot be made, or holds what cannot be gone on with.
    """

    def __init__(
        self,
        folder: Path,
        config: DictConfig,
        overrides: Sequence[str],
        choices: Mapping[str, str],
        content: str | None = None,
        resume: str = AUTO,
        meter: Meter | None = None,
    ) -> None:
        self.folder = folder
        self._meter = meter or Meter()
        self._others: Sequence[dict[str, float]] = ()
        identity = identity_of(config, content)
        if read_status(folder) is None:
            check_free(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = lock(folder)
            with self._unlocking():
                before = check_resumable(folder, config, identity, resume) or {}
                self.place: dict[str, Any] | None = place_of(folder) if before else None
                """Where the training goes on, see `place_of`; None: at its beginning."""
                sweep_out(folder, anew=not self.place)
                self._known = self._description(identity, before)
                write_json(folder / STATUS, self._status("running"))
                write_text(folder / CONFIG, OmegaConf.to_yaml(config))
                if not self.place:
                    about = environment(config, overrides, choices)
                    modules = job_modules(config)
                    write_json(folder / ENVIRONMENT, {**about, "modules": modules})
                    keep_sources(folder, modules)
        except OSError as error:
            full = UserError(f"cannot write to {folder}: {error.strerror}")
            if hasattr(self, "_known"):
                self.stop("interrupted", full)
            raise full from error
        except KeyboardInterrupt as stopped:
            if hasattr(self, "_known"):
                self.stop("interrupted", stopped)
            raise

    @contextlib.contextmanager
    def _unlocking(self) -> Iterator[None]:
        """Give up the claim where the run does not begin; an error's frames would keep it."""
        try:
            yield
        except BaseException:
            self._lock.close()
            raise

    @property
    def tracker_id(self) -> str:
        """The number under which trackers know the run, in each of its sittings."""
        return str(self._known["tracker_id"])

    def _description(
        self, identity: Mapping[str, str], before: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What the status says of the run as a whole, and of this sitting."""
        now, host = _now(), socket.gethostname()
        sitting = {"started": now, "host": host, "step": self.place["step"] if self.place else 0}
        return {
            "started": before.get("started", now),
            "pid": os.getpid(),
            "process": process_start(os.getpid()),
            "host": host,
            **({"slurm_job": batch_job()} if batch_job() else {}),
            "tracker_id": before.get("tracker_id") or secrets.token_hex(4),
            "sittings": [*before.get("sittings", []), sitting],
            **identity,
        }

    def describe(self, facts: dict[str, Any]) -> None:
        """Write what is trained on what, which the results begin with."""
        write_json(self.folder / RESULTS, facts)

    def add_evaluation(self, record: ScoreRecord, pictures: Pictures) -> None:
        """Write the scores on the test split."""
        write_scores(record, pictures, self.folder)

    def keep_cost(self, others: Sequence[dict[str, float]]) -> None:
        """Write down what the training has cost so far.

        Args:
            others: what the other processes of a multi-GPU run have.
        """
        self._others = others
        write_json(self.folder / STATUS, self._status("running"))

    def cost(self) -> dict[str, float]:
        """What the training has cost, all its sittings together; see `colorizer.costs`."""
        self._known["sittings"][-1]["cost"] = at_once([self._meter.read(), *self._others])
        return together(sitting.get("cost", {}) for sitting in self._known["sittings"])

    def finish(self, results: dict[str, Any]) -> dict[str, Any]:
        """Write the results, where infinite values become null; return them with the cost."""
        results = {**results, **{f"cost/{name}": value for name, value in self.cost().items()}}
        write_json(self.folder / RESULTS, json_ready(results))
        write_json(self.folder / STATUS, self._status("finished"))
        (self.folder / LOCK).unlink(missing_ok=True)
        self._lock.close()
        return results

    def stop(self, state: str, error: BaseException) -> None:
        """Write how the run ended early: `failed`, `interrupted` or `pruned`."""
        status = self._status(state)
        status["error"] = f"{type(error).__name__}: {error}".strip(": ")
        full = {**status, "traceback": "".join(traceback.format_exception(error))}
        try:
            write_json(self.folder / STATUS, full)
        except OSError:
            # The disk is full: what takes no more room than the file that is there.
            with contextlib.suppress(OSError), (self.folder / STATUS).open("r+") as file:
                file.write(json.dumps(status))
                file.truncate()
        self._lock.close()

    def saved(self) -> str:
        """What is whole in the folder, for a message."""
        try:
            place = place_of(self.folder)
        except UserError:
            place = None
        names = [name for name in (CONFIG, HISTORY, BEST) if (self.folder / name).is_file()]
        if place:
            names.append(f"{LAST} (after step {place['step']})")
        return ", ".join(names) or "nothing"

    def _status(self, state: str) -> dict[str, Any]:
        self.cost()
        return {"state": state, "updated": _now(), **self._known}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
