"""SIGINT, SIGTERM and the signals of batch systems end a training in order.

While steps are made, the first signal is only remembered: the training saves its state before the
next step, and ends. At any other time, and at a second Ctrl-C, it ends at once.
"""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from colorizer.processes import process_lives, process_start

# SIGHUP: the terminal was closed. SLURM sends the last two before a job's time is over, if it is
# asked to; submitit uses SIGUSR2.
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)

# Exit status of what was saved and wants to be begun again (EX_TEMPFAIL of sysexits.h).
EXIT_REQUEUE = 75

# submitit's handler that puts a job back into the queue.
REQUEUES = "checkpoint_and_try_requeue"

# Seconds that an orphan has to save.
GRACE, SHORT_GRACE = 30.0, 5.0

# The environment variable that names the process that leads this one.
LEADER = "COLORIZER_LEADER"

POSTPONED = b"\nthe step is finished and saved; Ctrl-C once more ends it now\n"


class Stopped(KeyboardInterrupt):
    """A signal has ended the work.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.number = number

    @property
    def requeue(self) -> bool:
        """True if not a person but a system has ended it, which may start it again."""
        return self.number != signal.SIGINT


_received = 0
_postponed = False
_following = False
# What other libraries had installed before: submitit requeues a job in its handler.
_others: dict[int, Any] = {}


def install() -> None:
    """Handle the signals here."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in HANDLED:
        handler = signal.getsignal(number)
        # A shell that runs a command in the background has SIGINT ignored.
        if handler not in (signal.SIG_IGN, _handle):
            if getattr(handler, "__module__", "").startswith("submitit"):
                _others[number] = handler
            signal.signal(number, _handle)


def reinstall() -> None:
    """Handle SIGINT again after Lightning has switched it off."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        install()


def forget() -> None:
    """Begin anew, as if no signal had come."""
    global _received
    _received = 0


def postpone(on: bool) -> None:
    """Whether the first signal is only remembered."""
    global _postponed
    _postponed = on


def received() -> int:
    """The number of the signal that came; 0: none."""
    return _received


def behind(error: BaseException | None) -> KeyboardInterrupt | None:
    """The interruption that led to an error; None where there was none.

    Libraries make other errors of it: a `finally` of Hydra's closes a file that is not open yet.
    """
    for _ in range(100):  # errors may be each other's cause
        if error is None or isinstance(error, KeyboardInterrupt):
            return error
        error = error.__cause__ or error.__context__
    return None


def requeue(error: BaseException) -> None:
    """Let submitit put a stopped job back into its queue; it does not return then.

    submitit does so at one signal, SIGUSR2, and ignores SIGTERM, with which SLURM preempts: who
    ends at that, and in time, has failed for SLURM. But SIGTERM also comes from `scancel`.
    """
    number = error.number if isinstance(error, Stopped) and error.requeue else 0
    if number not in _others:
        return
    handler = _others[number]
    if handler.__name__ != REQUEUES and _slurm_runs_this():
        handler = next((h for h in _others.values() if h.__name__ == REQUEUES), handler)
    for each in HANDLED:
        # What comes now is of the requeueing; an exception would leave submitit's file half done.
        signal.signal(each, signal.SIG_IGN)
    handler(number, None)


def _slurm_runs_this() -> bool:
    """True if this is a job of SLURM's that it does not end itself, to cancel or requeue it."""
    if os.environ.get("SUBMITIT_EXECUTOR") != "slurm" or "SLURM_JOB_ID" not in os.environ:
        return False
    job = os.environ["SLURM_JOB_ID"]
    if "SLURM_ARRAY_TASK_ID" in os.environ:
        # One of an array's jobs has the array's number, which stands for all of them.
        job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    command = ["squeue", "--noheader", "--jobs", job, "--format=%T"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.stdout.strip() == "RUNNING"


def lead() -> None:
    """Let the processes that this one starts from now on end with it, see `follow`.

    Not the jobs of SLURM that it submits: those have its environment, too.
    """
    os.environ[LEADER] = f"{os.getpid()} {_place()} {process_start(os.getpid()) or ''}"


def let_the_others_end() -> None:
    """Keep Lightning from killing this process when another that it has started was interrupted.

    It looks every 5 seconds whether one has ended with a status that is not 0.
    """
    for thread in threading.enumerate():
        if thread.name == "child-process-observer":
            thread._run = lambda: True  # type: ignore[attr-defined]


def follow() -> None:
    """End this process in order, within seconds, when the one that leads it is killed.

    Without this, what is left would begin jobs that wait for it, or wait for the other for ever.
    """
    global _following
    if _following or _is_leader_gone() is None:
        return
    _following = True

    def watch() -> None:
        while not _is_leader_gone():
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)
        # One of several processes of a training has nothing to save without the first, for which it
        # may wait where no signal reaches it.
        time.sleep(SHORT_GRACE if int(os.environ.get("LOCAL_RANK") or 0) else GRACE)
        os._exit(EXIT_REQUEUE)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def ending_with_leader() -> Iterator[None]:
    """End this process, after a job, if the one that leads it is gone; it would wait for more."""
    follow()
    try:
        yield
    finally:
        if _is_leader_gone():
            os._exit(EXIT_REQUEUE)


def _is_leader_gone() -> bool | None:
    """Whether the process that leads this one has ended; None where there is none."""
    pid, place, began = [*os.environ.get(LEADER, "").split(" "), "", ""][:3]
    if not pid.isdecimal() or int(pid) == os.getpid() or place != _place():
        return None
    return not process_lives(int(pid), began or None)


def _place() -> str:
    """The machine, and on it the job of SLURM's: numbers of processes are others elsewhere."""
    return f"{socket.gethostname()}/{os.environ.get('SLURM_JOB_ID', '')}"


def _handle(number: int, frame: FrameType | None) -> None:
    global _received
    again = bool(_received)
    _received = _received or number
    if _postponed and not (again and number == signal.SIGINT):
        if number == signal.SIGINT:
            os.write(2, POSTPONED)  # print could be in the middle of another line
        return
    raise Stopped(_received)
