"""Writing the run directory of a training."""

import contextlib
import json
import os
import socket
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer.errors import UserError
from colorizer.files import json_ready, write_json
from colorizer.fingerprint import fingerprint_of
from colorizer.processes import process_start
from colorizer.runs.code import job_modules
from colorizer.runs.environment import environment
from colorizer.runs.identity import settings_fingerprint
from colorizer.runs.layout import (
    BEST,
    CONFIG,
    ENVIRONMENT,
    EVALUATION,
    HISTORY,
    LAST,
    PICTURES,
    RESULTS,
    STATUS,
    check_free,
    occupied,
)
from colorizer.runs.scores import Pictures, ScoreRecord, write_scores


class RunWriter:
    """The run directory of a training in this process.

    Args:
        folder: made where it is missing.
        config: the resolved config, with `run_dir` pointing anywhere.
        overrides: what the command line changed.
        choices: the config file chosen in each group.
        content: of its data, see `colorizer.runs.data_content`.

    Raises:
        UserError: the folder cannot be made, or holds another run.
    """

    def __init__(
        self,
        folder: Path,
        config: DictConfig,
        overrides: Sequence[str],
        choices: Mapping[str, str],
        content: str | None = None,
    ) -> None:
        self.folder = folder
        check_free(folder)
        modules = job_modules(config)
        self._identity = {
            "settings": settings_fingerprint(config, content),
            "code": fingerprint_of(modules),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._started = _now()
            # A link: complete from the first moment, and of two runs that get here at once, one
            # finds the file there.
            part = folder / f"{STATUS}.{os.getpid()}"
            part.write_text(json.dumps(self._status("running"), indent=2))
            try:
                (folder / STATUS).hardlink_to(part)
            finally:
                part.unlink()
        except FileExistsError as error:
            raise UserError(occupied(folder)) from error
        except OSError as error:
            raise UserError(f"cannot make the run directory {folder}: {error.strerror}") from error
        try:
            (folder / CONFIG).write_text(OmegaConf.to_yaml(config))
            about = {**environment(config, overrides, choices), "modules": modules}
            write_json(folder / ENVIRONMENT, about)
        except OSError as error:
            self.stop("failed", error)
            raise UserError(f"cannot write to {folder}: {error.strerror}") from error

    def add_evaluation(self, record: ScoreRecord, pictures: Pictures) -> None:
        """Write the scores on the test split."""
        write_scores(record, pictures, self.folder / EVALUATION, self.folder / PICTURES)

    def finish(self, results: dict[str, Any]) -> None:
        """Write the results, where infinite values become null."""
        write_json(self.folder / RESULTS, json_ready(results))
        write_json(self.folder / STATUS, self._status("finished"))

    def stop(self, state: str, error: BaseException) -> None:
        """Write how the run ended early: `failed`, `interrupted` or `pruned`."""
        status = self._status(state)
        status["error"] = f"{type(error).__name__}: {error}".strip(": ")
        status["traceback"] = "".join(traceback.format_exception(error))
        try:
            write_json(self.folder / STATUS, status)
        except OSError:
            # The disk is full: what takes no more room than the file that is there.
            with contextlib.suppress(OSError), (self.folder / STATUS).open("r+") as file:
                file.write(json.dumps({"state": state}))
                file.truncate()

    def saved(self) -> list[str]:
        """The files that were written, for a message."""
        return [
            name
            for name in (CONFIG, HISTORY, BEST, LAST)
            if (self.folder / name).is_file() and (self.folder / name).stat().st_size
        ]

    def _status(self, state: str) -> dict[str, Any]:
        return {
            "state": state,
            "started": self._started,
            "updated": _now(),
            "pid": os.getpid(),
            "process": process_start(os.getpid()),
            "host": socket.gethostname(),
            **self._identity,
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
