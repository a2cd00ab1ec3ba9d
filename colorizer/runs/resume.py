"""Whether a run directory's training can be gone on with."""

import fcntl
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from omegaconf import DictConfig, OmegaConf

from colorizer.errors import UserError
from colorizer.files import read_json, read_yaml
from colorizer.runs.checkpoints import read_checkpoint
from colorizer.runs.code import job_code
from colorizer.runs.identity import flat, identifying, settings_fingerprint
from colorizer.runs.layout import (
    BEST,
    CONFIG,
    ENVIRONMENT,
    HISTORY,
    LAST,
    check_free,
    occupied,
)
from colorizer.runs.status import read_status, state_of

# Values of the config key `resume`.
AUTO, NEVER, ANYWAY = "auto", "never", "anyway"

# States of a training that did not come to its end.
UNFINISHED = ("interrupted", "died", "failed")

LOCK = ".lock"


def identity_of(written: DictConfig, content: str | None) -> dict[str, str]:
    """What makes two trainings the same: the fingerprints of settings and code.

    Args:
        written: see `recorded`.
        content: of its data, see `data_content`.
    """
    return {"settings": settings_fingerprint(written, content), "code": job_code(written)}


def check_resumable(
    folder: Path, written: DictConfig, identity: Mapping[str, str], resume: str = AUTO
) -> dict[str, Any] | None:
    """The status of the run that a training would go on with; None where the folder is free.

    Args:
        folder: the run directory.
        written: the recorded config of the training.
        identity: its `settings` and `code`, see `colorizer.runs.identity`.
        resume: `auto`; `never`; or `anyway`, also if the code is another, or the run may be alive
            on another machine.

    Raises:
        UserError: the folder holds what cannot be gone on with.
    """
    status = read_status(folder)
    if status is None:
        check_free(folder)
        return None
    state = state_of(status)
    if state == "running" and resume == ANYWAY and status.get("host") != socket.gethostname():
        state = "died"
    if state == "running" and _is_earlier_part(status):
        state = "died"
    if state == "running":
        host = status.get("host")
        raise UserError(
            f"{folder} is being trained by process {status.get('pid')} of {host}; if that was "
            "killed there, resume=anyway goes on"
        )
    if resume == NEVER or state not in UNFINISHED:
        raise UserError(occupied(folder))
    if status.get("settings") != identity["settings"]:
        raise UserError(f"{occupied(folder)}: {_difference(folder, written)}")
    if status.get("code") != identity["code"] and resume != ANYWAY:
        raise UserError(
            f"{folder} holds a run of another version of the code; resume=anyway goes on with it"
        )
    return status


def finished_before(folder: Path, identity: Mapping[str, str]) -> bool:
    """True if a directory holds the finished run of the same settings and code."""
    status = read_status(folder) or {}
    return status.get("state") == "finished" and all(
        status.get(key) == value for key, value in identity.items()
    )


def place_of(folder: Path) -> dict[str, Any] | None:
    """What the last checkpoint of a training says of its place; None where there is none.

    Its `epoch` and `step`, and see `colorizer.callbacks.Checkpoints`.

    Raises:
        UserError: the checkpoint is damaged.
    """
    path = folder / LAST
    if not path.is_file():
        return None
    try:
        content = read_checkpoint(path)
        return {"epoch": content["epoch"], "step": content["global_step"], **content["place"]}
    except (UserError, KeyError) as error:
        raise UserError(
            f"{path} is damaged: the training cannot be gone on with; remove it to begin anew"
        ) from error


def threads_of(folder: Path) -> int | None:
    """The CPU threads of the run in a directory; None where there is none to go on with."""
    try:
        threads = read_json(folder / ENVIRONMENT)["threads"] if (folder / LAST).is_file() else None
    except (UserError, KeyError, TypeError):
        return None
    return threads if type(threads) is int else None


def sweep_out(folder: Path, anew: bool) -> None:
    """Remove what a killed process left half written, and `anew` what an earlier start made."""
    for path in [*folder.glob("*.partial"), *folder.glob("*/*.partial")]:
        path.unlink(missing_ok=True)
    if anew:
        (folder / BEST).unlink(missing_ok=True)
        (folder / HISTORY).unlink(missing_ok=True)


def lock(folder: Path) -> IO[str]:
    """Claim a run directory for this process; the claim ends with the process or `close`.

    Raises:
        UserError: another process has it.
        OSError: the folder cannot be written to.
    """
    file = (folder / LOCK).open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise UserError(f"{folder} is being trained by another process") from error
    return file


def batch_job() -> str | None:
    """The number of the SLURM job that this process belongs to, the same when it is requeued."""
    return os.environ.get("SLURM_JOB_ID")


def _is_earlier_part(status: Mapping[str, Any]) -> bool:
    """True if the run is of the same SLURM job, which was requeued: SLURM runs it once at a time.

    Not of the same process, whose life can be seen.
    """
    return (
        batch_job() is not None
        and status.get("slurm_job") == batch_job()
        and (status.get("host") != socket.gethostname())
    )


def _difference(folder: Path, written: DictConfig) -> str:
    """The first setting of the folder's run that is another one."""
    try:
        before = OmegaConf.create(read_yaml(folder / CONFIG))
        assert isinstance(before, DictConfig)
        old, new = (dict(flat(identifying(config))) for config in (before, written))
    except Exception:  # whatever is wrong with the file, the settings are others
        return "its settings are others"
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            return f"it has {key}={old.get(key, '(nothing)')}, not {new.get(key, '(nothing)')}"
    return "its data is other data"
