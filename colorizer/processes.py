"""Processes of this machine."""

import os
from pathlib import Path


def process_lives(pid: int, began: str | None = None) -> bool:
    """True if a process runs on this machine; a zombie does not.

    Args:
        pid: its number.
        began: see `process_start`; None for any.
    """
    fields = _process_fields(pid)
    if fields:
        return fields[0] != "Z" and began in (None, fields[19])
    if Path("/proc/self/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def process_start(pid: int) -> str | None:
    """When a process began, in ticks since the machine did; None where the system does not tell.

    Numbers of processes are used again.
    """
    fields = _process_fields(pid)
    return fields[19] if fields else None


def _process_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty where there is none."""
    try:
        # "PID (NAME) STATE ..."; a name may hold anything but the last parenthesis.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def available_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
