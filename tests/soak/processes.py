"""The command as a process: forked from this one, which has imported all, or a fresh Python."""

import contextlib
import gc
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

# One thread each: a pool of threads does not outlive a fork.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

IMPORTED = (
    *(f"colorizer.commands.{name}" for name in ("job", "many_jobs", "train", "sweep", "evaluate")),
    *("colorizer.commands.report", "colorizer.commands.study", "colorizer.commands.weights"),
    *("colorizer.preflight", "colorizer.report.page", "colorizer.sweeps.search_results", "wandb"),
    *("timm", "pandas", "plotly.graph_objs", "plotly.io"),
)

# Seconds between two looks at a process.
LOOK = 0.005


class Process:
    """A running `colorizer ARGUMENTS`, the leader of a session of its own.

    Args:
        arguments: of the command.
        folder: its working folder.
        environment: what it has beside this process's.
        fresh: whether it is a new Python and not a fork.
        log: gets what it prints.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        fresh: bool,
        log: Path,
    ) -> None:
        self.started = time.monotonic()
        self._log, self._printed = log, log.stat().st_size if log.is_file() else 0
        self._popen = _popen(arguments, folder, environment, log) if fresh else None
        self.pid = self._popen.pid if self._popen else _fork(arguments, folder, environment, log)
        self.status: int | None = None

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.started

    @property
    def stopped_in_pythons_start(self) -> bool:
        """Whether a signal came before Python had imported its own first modules."""
        printed = self._log.read_bytes()[self._printed :]
        return printed.startswith(b"Fatal Python error: init_import_site")

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, at most so long; whether it has."""
        deadline = time.monotonic() + seconds
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                if self._popen:
                    self._popen.returncode = self.status
            elif time.monotonic() >= deadline:
                return False
            else:
                time.sleep(LOOK)
        return True

    def others(self) -> dict[int, str]:
        """The other processes of its session, and what they started, with their command lines."""
        found: dict[int, str] = {}
        parents: dict[int, int] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                pid, session = int(folder.name), int(fields[3])
                if fields[0] != "Z" and pid != self.pid:
                    parents[pid] = self.pid if session == self.pid else int(fields[1])
                    found[pid] = (folder / "cmdline").read_text().replace("\0", " ")
        ours = {self.pid}
        while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
            ours |= more
        return {pid: line for pid, line in found.items() if pid in ours}

    def are_others_gone(self, seconds: float) -> bool:
        """Whether its session is empty, at most so long after."""
        deadline = time.monotonic() + seconds
        while self.others():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.1)
        return True

    def send(self, number: int, group: bool) -> None:
        """Send a signal to the process, or to all of its group."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.pid, number)

    def end(self) -> None:
        """Kill what is left of the session."""
        for pid in [*self.others(), *([] if self.status is not None else [self.pid])]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait(10)


def prepare_to_fork(folder: Path) -> None:
    """Import all that commands need, and train once, so that a fork begins as if it had.

    Args:
        folder: of that training.
    """
    for name in IMPORTED:
        importlib.import_module(name)
    from colorizer.cli import main
    from colorizer.data import CIFAR10
    from tests.conftest import CIFAR10_ROOT, HAS_CIFAR10
    from tests.soak.scenarios import SMALL

    process = os.fork()
    if not process:  # the numbers of the baselines go into the cache folder
        os._exit(
            _quietly(main, ["train", *SMALL, "model=cnn", f"hydra.run.dir={folder / 'first'}"])
        )
    os.waitpid(process, 0)
    if _quietly(main, ["train", *SMALL, "model=cnn", f"hydra.run.dir={folder / 'second'}"]):
        raise RuntimeError("the first training failed")
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from colorizer.evaluation.cache import ReferenceCache

    ReferenceCache.forget()
    if HAS_CIFAR10:
        CIFAR10(CIFAR10_ROOT, download=False).split("train")
    gc.collect()
    gc.freeze()


def _quietly(main: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        return main(arguments)


def _popen(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
) -> "subprocess.Popen[bytes]":
    with log.open("a") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "colorizer", *arguments],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def _fork(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    # From here on another process, which is to end as the command does.
    try:
        os.setsid()
        os.chdir(folder)
        os.environ.update(environment)
        # Its lock is shared by forks: one that was killed while it held it would stop them all.
        tqdm.set_lock(threading.RLock())
        for descriptor, path, flags in (
            (0, os.devnull, os.O_RDONLY),
            (1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            (2, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        ):
            os.dup2(os.open(path, flags, 0o644), descriptor)
        # Processes that it starts import what they take for the main module.
        sys.modules["__main__"] = command = importlib.import_module("colorizer.__main__")
        sys.argv = [str(command.__file__), *arguments]
        command.entry_point()
    except SystemExit as ended:
        _leave(ended.code)
    except BaseException:
        importlib.import_module("traceback").print_exc()
    _leave(1)
    return 0


def _leave(status: object) -> None:
    """End as Python does, without what belongs to the process that was forked."""
    import atexit

    code = status if isinstance(status, int) else int(status is not None)
    with contextlib.suppress(BaseException):
        importlib.import_module("threading")._shutdown()
        atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
