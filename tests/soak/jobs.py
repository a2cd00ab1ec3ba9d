"""Many jobs in one process: its memory, files and processes, and the time of a job, stay flat."""

import statistics
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from colorizer.console import say, text_table
from tests.soak.processes import Process
from tests.soak.scenarios import SMALL

JOB = (
    *(value for value in SMALL if not value.startswith(("trainer.max", "+trainer.limit"))),
    *("model=cnn", "model.width=8", "trainer.max_epochs=1", "+trainer.limit_train_batches=2"),
    "callbacks.checkpoint.every_minutes=5",
    "logger=default",  # with W&B
)

# Jobs that are not looked at: what is loaded once is loaded in them. Then so many are compared
# with the last ones.
WARM_UP, COMPARED = 20, 100


@dataclass
class Sample:
    """A process after one of its jobs."""

    memory: float
    """Resident, in MiB."""
    files: float
    """Open ones."""
    threads: float
    processes: float
    """Its children and theirs."""
    their_memory: float
    seconds: float
    """Of the job."""


# The last jobs may have so much more than the first, and by this factor.
ALLOWED = {
    "memory": (10.0, 1.01),
    "files": (1.0, 1.0),  # one may be being written
    "threads": (0.0, 1.0),
    "processes": (0.0, 1.0),
    "their_memory": (10.0, 1.02),
    "seconds": (0.03, 1.1),
}


def watch_jobs(jobs: int, folder: Path) -> int:
    """Run so many jobs, and print the table; the exit status."""
    arguments = ("train", "-m", "study=many", *JOB, f"seed=range({jobs})")
    process = Process(arguments, folder, {"WANDB_MODE": "offline"}, True, folder / "log.txt")
    try:
        samples = _samples(process, folder / "outputs" / "many", jobs)
    finally:
        process.wait(600)
        process.end()
    with (folder / "samples.csv").open("w") as file:
        file.write(",".join(field.name for field in fields(Sample)) + "\n")
        file.writelines(",".join(map(str, astuple(sample))) + "\n" for sample in samples)
    text, flat = compared(samples)
    say(f"{len(samples)} jobs in one process, status {process.status}; {folder}\n\n{text}")
    return int(process.status != 0 or len(samples) < jobs - 1 or not flat)


def compared(samples: list[Sample]) -> tuple[str, bool]:
    """A table of the first jobs and the last, and whether they are alike."""
    few = min(COMPARED, len(samples) // 3)
    warm = min(WARM_UP, few)
    parts = samples[warm : warm + few], samples[-few:]
    lines, flat = [], True
    for name, (more, times) in ALLOWED.items():
        first, last = (statistics.median(getattr(s, name) for s in part) for part in parts)
        most = first * times + more
        flat &= last <= most
        lines.append([name.replace("_", " "), f"{first:.2f}", f"{last:.2f}", f"{most:.2f}"])
    titles = ["median", f"jobs {warm + 1} to {warm + few}", f"last {few}", "allowed"]
    return text_table(titles, lines), flat


def _samples(process: Process, folder: Path, jobs: int) -> list[Sample]:
    """A sample after each job but the last, when the next has begun."""
    samples: list[Sample] = []
    began = time.monotonic()
    for number in range(1, jobs):
        while not (folder / str(number) / "status.json").exists():
            if process.wait(0.01):
                return samples
        now = time.monotonic()
        samples.append(_sample(process, now - began))
        began = now
    return samples


def _sample(process: Process, seconds: float) -> Sample:
    own = Path(f"/proc/{process.pid}")
    children = process.others()
    return Sample(
        _resident(own),
        _or_nothing(lambda: len(list((own / "fd").iterdir()))),
        _or_nothing(lambda: len(list((own / "task").iterdir()))),
        len(children),
        sum(_resident(Path(f"/proc/{pid}")) for pid in children),
        seconds,
    )


def _resident(process: Path) -> float:
    def read() -> float:
        return int((process / "statm").read_text().split()[1]) * 4096 / 2**20

    return _or_nothing(read)


def _or_nothing(read: Callable[[], float]) -> float:
    """What is read of a process; 0 where it is gone by then."""
    try:
        return read()
    except OSError:
        return 0.0
