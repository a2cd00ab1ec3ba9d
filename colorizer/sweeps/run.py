"""Running the planned jobs of a sweep through a launcher of Hydra's."""

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from tqdm import tqdm

from colorizer import signals
from colorizer.console import duration, last_line
from colorizer.runs import batch_job, state_of
from colorizer.sweeps.launchers import in_process, prepare
from colorizer.sweeps.plan import PENDING, SETTLED, PlannedJob

log = logging.getLogger(__name__)

# A job whose worker was killed, by itself or along with another's, is gone on with once.
ATTEMPTS = 2

# Seconds that running jobs have to write down that they were interrupted.
GRACE = 60.0


def launch(launcher: Any, jobs: Sequence[PlannedJob], attempts: int = ATTEMPTS) -> None:
    """Run jobs and wait for them; one whose worker is killed is gone on with.

    Args:
        launcher: Hydra's, set up.
        jobs: to begin, or to go on with.
        attempts: how often a job is started whose process is killed.

    Raises:
        colorizer.signals.Stopped: when all jobs that were running have stopped.
    """
    left = list(jobs)
    if not left:
        return
    prepare(launcher)
    for attempt in range(1, attempts + 1):
        refused = _launch_once(launcher, left, jobs)
        left = [job for job in left if job.state in ("died", "waiting") and job not in refused]
        for job in left:
            if job.state == "died":
                last = attempt == attempts
                end = "failed: its process was killed" if last else "was killed; it goes on"
                log.warning(f"{job.label} {end}")
        if not left:
            return


def _launch_once(
    launcher: Any, jobs: Sequence[PlannedJob], watched: Sequence[PlannedJob]
) -> list[PlannedJob]:
    """Run jobs and wait for them.

    Args:
        launcher: Hydra's.
        jobs: to run.
        watched: all of the sweep, for the progress bar.

    Returns:
        Those that failed before they could say so in their run directory.
    """
    alone = in_process(launcher.config.hydra.launcher)
    returns: Sequence[JobReturn] = ()
    crash: Exception | None = None
    with interruptible(jobs, alone), contextlib.nullcontext() if alone else Watch(watched):
        try:
            returns = _launched(launcher, [[job] for job in jobs] if alone else [jobs])
        except Exception as error:  # whatever a launcher makes of a worker that is gone
            if stopped := signals.behind(error):
                raise stopped from error
            crash = error
    failed = []
    for job, done in zip(jobs, returns, strict=False):
        if job.state in PENDING and done.status == JobStatus.FAILED:
            log.warning(f"{job.label} failed: {last_line(done._return_value)}")
            failed.append(job)
    if crash:
        log.warning(f"the launcher stopped: {last_line(crash)}")
    _settle(jobs)
    return failed


def _launched(launcher: Any, batches: Sequence[Sequence[PlannedJob]]) -> list[JobReturn]:
    """What became of jobs that are launched together, and of others after them.

    Those of this process come one by one: Hydra keeps the configs of a batch until it is over.
    """
    returns = []
    sweep = Path(launcher.config.hydra.sweep.dir).absolute()
    for jobs in batches:
        places = [job.folder.absolute().relative_to(sweep) for job in jobs]
        overrides = [
            [*job.overrides, f"hydra.sweep.subdir={place}"]
            for job, place in zip(jobs, places, strict=True)
        ]
        for done in launcher.launch(overrides, initial_job_idx=int(jobs[0].folder.name)):
            done.cfg = done.hydra_cfg = None
            returns.append(done)
    return returns


def _settle(jobs: Sequence[PlannedJob]) -> None:
    """Wait for jobs that a launcher left running on this machine when it stopped."""
    while any(
        job.state == "running"
        and job.status.get("host") == socket.gethostname()
        and job.status.get("pid") != os.getpid()
        for job in jobs
    ):
        time.sleep(0.5)


@contextlib.contextmanager
def interruptible(jobs: Sequence[PlannedJob], alone: bool) -> Iterator[None]:
    """Let the jobs in other processes stop in order on SIGINT and SIGTERM.

    Args:
        jobs: what may be running.
        alone: whether they run in this process, where an exception is all it takes.
    """
    if alone or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        for signum in before:
            signal.signal(signum, signal.SIG_IGN)
        log.warning("\nstopping the jobs that are running")
        stop_jobs(jobs)
        stopped.append(signals.Stopped(number))
        raise stopped[0]

    stopped: list[signals.Stopped] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt as error:
        if stopped and error is not stopped[0]:  # Ray makes another one of it
            raise stopped[0] from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_jobs(jobs: Sequence[PlannedJob]) -> None:
    """Interrupt the jobs that run in other processes of this machine, and wait for them.

    Not those of other SLURM jobs, which outlive this process.
    """
    deadline = time.monotonic() + GRACE
    # By job, too: a worker may have begun another before it was stopped.
    told: set[tuple[int, Path]] = set()
    while time.monotonic() < deadline:
        running = [(job.status, job.folder) for job in jobs if job.state == "running"]
        here = {
            (status["pid"], folder)
            for status, folder in running
            if status.get("host") == socket.gethostname()
            and status.get("slurm_job") == batch_job()
            and status["pid"] != os.getpid()
        }
        for pid, _ in here - told:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)
        told |= here
        if not here:
            return
        time.sleep(0.1)


class Watch:
    """Shows how far jobs in other processes are: a bar, and a line for each that fails.

    Args:
        jobs: all that the sweep set out to run.
        interval: seconds between two looks.
    """

    def __init__(self, jobs: Sequence[PlannedJob], interval: float = 0.5) -> None:
        self.jobs = jobs
        self.interval = interval
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._said: set[PlannedJob] = set()

    def __enter__(self) -> "Watch":
        self._bar = tqdm(
            total=len(self.jobs),
            desc="jobs",
            unit="job",
            bar_format="{desc} {n}/{total} |{bar:20}| {postfix}",
            mininterval=0 if sys.stderr.isatty() else 10,
        )
        self._started = time.monotonic()
        self._before = sum(job.state in SETTLED for job in self.jobs)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()
        self._bar.close()

    def _watch(self) -> None:
        while not self._over.wait(self.interval):
            self._look()

    def _look(self) -> None:
        states = {job: job.status for job in self.jobs}
        for job, status in states.items():
            if status["state"] == "failed" and job not in self._said:
                self._said.add(job)
                self._bar.write(failure(job), file=sys.stderr)
        count = Counter(status["state"] for status in states.values())
        over = sum(count[state] for state in SETTLED)
        left = len(self.jobs) - over
        taken = time.monotonic() - self._started
        soon = duration(taken / (over - self._before) * left) if over > self._before else "?"
        self._bar.n = over
        text = f"{count['running']} running, {count['failed']} failed, {soon} left"
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(0)
        if sys.stderr.isatty():
            self._bar.refresh()


def failure(job: PlannedJob) -> str:
    """The line that names a failed job: number, overrides and the last line of its error."""
    status = job.status
    state = state_of(status)
    if state == "running":
        return f"{job.label} runs on {status.get('host')}, or was killed there"
    if state == "waiting":
        return f"{job.label} did not begin"
    error = str(status.get("error") or "").strip().splitlines() or ["its process was killed"]
    return f"{job.label} failed: {error[-1]}"


def _last_start(job: PlannedJob) -> str:
    """When the job's last sitting began."""
    status = job.status
    return str(status.get("sittings", [status])[-1]["started"])


def announce(folder: Path, title: str, todo: Sequence[PlannedJob]) -> None:
    """Log which job of a sweep in this process begins, and how far the sweep is.

    Args:
        folder: the job's run directory.
        title: what tells it from the others.
        todo: all that the sweep set out to run, in order; empty for a search.
    """
    line = f"\njob {folder.name}: {title}"
    over = [other for other in todo if other.state in SETTLED]
    if todo:
        failed = sum(other.state == "failed" for other in over)
        line += f" ({len(over)} of {len(todo)} over" + (f", {failed} failed" if failed else "")
    if over:
        begun = min(datetime.fromisoformat(_last_start(other)) for other in over)
        taken = (datetime.now(UTC) - begun).total_seconds()
        line += f", {duration(taken / len(over) * (len(todo) - len(over)))} left"
    log.info(f"{line})" if todo else line)
