"""How a training ended, in its folder and in its loggers."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from colorizer import signals, tracking
from colorizer.errors import DISK_FULL, DiskFull, Pruned
from colorizer.runs.writer import RunWriter


@contextlib.contextmanager
def ending(folder: Path, writer: RunWriter | None) -> Iterator[list[Any]]:
    """Record how a training that does not finish ended, in its folder and in its loggers.

    Yields:
        A list for the loggers, as soon as there are any.
    """
    loggers: list[Any] = []
    try:
        yield loggers
    except BaseException as caught:
        error = _translated(caught, folder, writer)
        interrupted = isinstance(error, KeyboardInterrupt | DiskFull)
        pruned = isinstance(error, Pruned)
        state = "interrupted" if interrupted else "pruned" if pruned else "failed"
        if writer:
            writer.stop(state, error)
        with contextlib.suppress(Exception):  # the first error is the one to report
            tracking.finish(0 if pruned else 1, state, loggers)
        if error is caught:
            raise
        raise error from caught


def _translated(error: BaseException, folder: Path, writer: RunWriter | None) -> BaseException:
    """Return the error as the person who started the training should see it."""
    stopped = signals.behind(error)
    if stopped and stopped is not error:
        # Lightning, for one, answers it with exit status 1 and switches SIGINT off.
        signals.reinstall()
        return stopped
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        saved = writer.saved() if writer else "nothing"
        return DiskFull(
            f"the disk is full ({error.strerror}). Whole in {folder}: {saved}; lost: what came "
            "later. The same command goes on from there when there is room"
        )
    return error
