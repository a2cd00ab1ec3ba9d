"""The status of a run directory: what became of its training."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from colorizer.files import read_object
from colorizer.processes import process_lives
from colorizer.runs.contents import Status
from colorizer.runs.layout import STATUS


def state_of(status: Mapping[str, Any]) -> str:
    """The state in a status, but `died` for a run on this machine whose process is gone.

    `running`, `finished`, `failed`, `interrupted`, `pruned` or `died`.
    """
    state = str(status["state"])
    pid = status.get("pid")
    if state == "running" and pid and status.get("host") == socket.gethostname():
        return state if process_lives(int(pid), status.get("process")) else "died"
    return state


def read_status(folder: Path) -> dict[str, Any] | None:
    """The status of a run directory alone, which is quick; None where there is no run (yet).

    Raises:
        UserError: the file is damaged.
    """
    if not (folder / STATUS).is_file():
        return None
    return read_object(folder / STATUS, Status)
