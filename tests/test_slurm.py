"""A real Slurm preempts trainings: they save, are requeued, and end with the same bits."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from colorizer.runs import BEST, find_runs, open_run
from tests.conftest import Here
from tests.slurm import MISSING, Slurm
from tests.test_resume import same

# Four minutes on two cores that others use, too.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(MISSING), reason=f"needs Debian's slurm-wlm and munge: no {', '.join(MISSING)}"
    ),
]

COLORIZER = (sys.executable, "-m", "colorizer")

JOB = (
    "data=photos",
    "model=linear",
    "trainer.max_epochs=5",
    "+trainer.limit_train_batches=6",
    "+trainer.limit_val_batches=1",
    "data.batch_size=8",
    "trainer.accelerator=cpu",
    "threads=1",
    "logger=csv",
    "test=false",
    "~callbacks.progress",
    "+trainer.enable_progress_bar=false",
)

LAUNCHER = (
    "hydra/launcher=slurm",
    "hydra.launcher.partition=low",
    "hydra.launcher.cpus_per_task=1",
    "hydra.launcher.gpus_per_node=null",
    "hydra.launcher.mem_gb=1",
)


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    folder = Path(tempfile.mkdtemp(prefix="slurm"))
    made = Slurm(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)
    assert made.processes() == []


def hold(slurm: Slurm, run: Path) -> None:
    """Stop a training in the middle with SIGSTOP; Slurm sends SIGCONT along with SIGTERM."""
    deadline = time.monotonic() + 120
    while not (run / BEST).exists():
        assert time.monotonic() < deadline, slurm.said()
        time.sleep(0.01)
    os.kill(open_run(run).status["pid"], signal.SIGSTOP)
    assert open_run(run).state == "running"


def preempt(slurm: Slurm) -> None:
    """Give the node to a job of the partition that goes first, until that has ended."""
    number = slurm.run("sbatch", "--parsable", "-p", "high", "-c", "2", "--wrap", "sleep 1")
    slurm.wait(lambda: ended(slurm, number), 120)


def ended(slurm: Slurm, number: str) -> bool:
    return "COMPLETED" in slurm.run("scontrol", "show", "job", number)


def sittings(run: Path) -> list[int]:
    """The steps at which a training began, and began again."""
    return [sitting["step"] for sitting in open_run(run).status["sittings"]]


def hold_at_start(slurm: Slurm, task: int) -> None:
    """Stop a job of a sweep while its Python starts and has no handlers for signals."""
    deadline = time.monotonic() + 60
    while not (found := beginning(slurm, task)):
        assert time.monotonic() < deadline, slurm.said()
        time.sleep(0.01)
    os.kill(found[0], signal.SIGSTOP)


def beginning(slurm: Slurm, task: int) -> list[int]:
    """The processes of a job of a sweep in which Python runs."""
    found = []
    for pid in slurm.processes():
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            python = command[0] == sys.executable.encode() and b"submitit.core._submit" in command
            if python and f"SLURM_ARRAY_TASK_ID={task}".encode() in environment:
                found.append(pid)
    return found


def test_a_sweep_is_preempted(slurm: Slurm, tmp_path: Path, here: Here) -> None:
    folder = tmp_path / "outputs" / "many"
    process = subprocess.Popen(
        [*COLORIZER, "train", "-m", "study=many", *JOB, "seed=0,1", *LAUNCHER],
        cwd=tmp_path,
        env=slurm.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        hold_at_start(slurm, 0)
        hold(slurm, folder / "1")
        preempt(slurm)
        out, _ = process.communicate(timeout=100)
    finally:
        process.kill()
    assert process.returncode == 0, out
    assert "jobs 2/2" in out
    assert [len(sittings(folder / seed)) for seed in ("0", "1")] == [1, 2]
    for seed in ("0", "1"):
        assert here("train", *JOB, f"seed={seed}", f"hydra.run.dir={tmp_path / seed}") == 0
        same(folder / seed, tmp_path / seed)


def test_two_hundred_jobs(slurm: Slurm, tmp_path: Path, here: Here) -> None:
    """Two at a time, each in a Python of its own: a quarter of an hour on two cores."""
    short = ("trainer.max_epochs=1", "trainer.limit_train_batches=3", "seed=range(200)")
    process = subprocess.run(
        [*COLORIZER, "train", "-m", "study=short", *JOB, *short, *LAUNCHER],
        cwd=tmp_path,
        env=slurm.env,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    runs = [open_run(folder) for folder in find_runs(tmp_path / "outputs" / "short")]
    assert [run.state for run in runs] == ["finished"] * 200
    assert len({run.status["slurm_job"] for run in runs}) == 200
    assert here("train", *JOB, *short[:2], "seed=7", f"hydra.run.dir={tmp_path / '7'}") == 0
    same(tmp_path / "outputs" / "short" / "7", tmp_path / "7")


SCRIPT = """\
#!/bin/bash
#SBATCH --requeue --open-mode=append --output=log.txt
srun {command}
status=$?
[ $status = 75 ] && scontrol requeue $SLURM_JOB_ID
exit $status
"""


def test_a_script_is_preempted(slurm: Slurm, tmp_path: Path, here: Here) -> None:
    run = tmp_path / "run"
    command = " ".join([*COLORIZER, "train", *(f"'{o}'" for o in JOB), f"hydra.run.dir={run}"])
    (tmp_path / "job.sh").write_text(SCRIPT.format(command=command))
    number = slurm.run("sbatch", "--parsable", "-D", str(tmp_path), str(tmp_path / "job.sh"))
    hold(slurm, run)
    preempt(slurm)
    slurm.wait(lambda: ended(slurm, number), 120)
    assert "is saved after step" in (tmp_path / "log.txt").read_text()
    assert len(sittings(run)) == 2
    assert here("train", *JOB, f"hydra.run.dir={tmp_path / 'whole'}") == 0
    same(run, tmp_path / "whole")
