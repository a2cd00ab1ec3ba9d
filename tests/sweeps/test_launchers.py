"""Jobs in processes of their own: joblib, Ray, and submitit's local executor."""

import itertools
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from colorizer.runs import open_run
from colorizer.signals import LEADER
from colorizer.sweeps.plan import Sweep
from tests.conftest import JOB, Here
from tests.sweeps.test_grid import gone, scores, start, states, wait_for

LAUNCHERS = {
    "local": ("hydra/launcher=local",),
    "gpus": (
        "hydra/launcher=gpus",
        "hydra.launcher.ray.remote.num_gpus=0",
        "hydra.launcher.ray.init.num_cpus=2",
    ),
    "submitit": ("hydra/launcher=submitit_local",),
}
MODULES = {"local": "joblib", "gpus": "ray", "submitit": "submitit"}


@pytest.mark.parametrize(
    "launcher", ["local", *(pytest.param(n, marks=pytest.mark.slow) for n in ("gpus", "submitit"))]
)
def test_jobs_at_a_time_with_the_same_results(tmp_path: Path, here: Here, launcher: str) -> None:
    pytest.importorskip(MODULES[launcher])
    jobs = 2 if launcher == "submitit" else 4
    job = (*JOB, "trainer.max_epochs=2")
    process = start(
        tmp_path, "train", "-m", "study=many", *job, f"seed=range({jobs})", *LAUNCHERS[launcher]
    )
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert f"jobs {jobs}/{jobs}" in err
    assert "mean ± standard deviation over seeds" in out
    gone(process.pid)

    runs = [open_run(folder) for folder in Sweep(tmp_path / "outputs" / "many").numbered()]
    assert [run.state for run in runs] == ["finished"] * jobs
    # Two worked at the same time, and each imported once for all its jobs.
    pids = [run.status["pid"] for run in runs]
    assert len(set(pids)) == 2
    spans = sorted((run.status["started"], run.status["updated"]) for run in runs)
    assert any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))

    assert here("train", *job, "seed=1", "hydra.run.dir=alone") == 0
    assert scores(runs[1].folder) == scores(tmp_path / "alone")


@pytest.mark.slow
def test_a_worker_that_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    folder = tmp_path / "outputs" / "many"
    process = start(
        tmp_path, "train", "-m", "study=many", *JOB, "hydra/launcher=local",
        "trainer.max_epochs=6", "loss.weights.mse=1e39,1", "seed=0,1",
    )  # fmt: skip
    try:
        wait_for(process, folder / "2" / "checkpoints" / "best.ckpt")
        os.kill(open_run(folder / "2").status["pid"], signal.SIGKILL)
        _, err = process.communicate(timeout=200)
    finally:
        process.kill()
    # What failed by itself has failed; what was killed went on and is whole.
    assert process.returncode == 1, err
    found = states(folder)
    assert found == {"0": "failed", "1": "failed", "2": "finished", "3": "finished"}
    assert "job 2 (mse=1, seed=0) was killed; it goes on" in err
    assert "job 0 (mse=1e+39, seed=0) failed: RunError: the loss is not finite" in err
    assert "2 of 4 jobs failed" in err
    gone(process.pid)


def test_workers_end_when_the_sweep_is_killed_before_they_begin(tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    process = start(
        tmp_path, "train", "-m", "study=many", *JOB, "hydra/launcher=local",
        "trainer.max_epochs=100000", "seed=0,1",
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 100
        while str(tmp_path) not in workers() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)
    finally:
        process.kill()
        process.wait()
    gone(process.pid)


def workers() -> list[str]:
    """The working folders of all workers of joblib."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if "popen_loky" in (process / "cmdline").read_text():
                found.append(str((process / "cwd").resolve()))
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    "launcher", ["local", *(pytest.param(n, marks=pytest.mark.slow) for n in ("gpus", "submitit"))]
)
def test_interrupted_jobs_stop_in_order(tmp_path: Path, launcher: str) -> None:
    pytest.importorskip(MODULES[launcher])
    folder = tmp_path / "outputs" / "many"
    process = start(
        tmp_path, "train", "-m", "study=many", *JOB, "trainer.max_epochs=100000", "seed=0,1",
        *LAUNCHERS[launcher],
    )  # fmt: skip
    try:
        for name in ("0", "1"):
            wait_for(process, folder / name / "checkpoints" / "best.ckpt")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode == 75, err
    assert states(folder) == {"0": "interrupted", "1": "interrupted"}
    assert "the same command goes on from there" in err
    assert "Traceback" not in err, err
    gone(process.pid)
    # What Ray starts is in sessions of its own.
    deadline = time.monotonic() + 20
    while any(str(tmp_path) in command for command in commands()):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def commands() -> list[str]:
    """The working folders of all processes."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.append(str((process / "cwd").resolve()))
        except OSError:
            continue
    return found


def test_what_runs_elsewhere_follows_nobody() -> None:
    """A job of SLURM's has the environment of who submitted it, and may outlive that."""
    lead = "import os; from colorizer import signals; signals.lead(); print(os.environ['{}'])"
    led = "import time, colorizer.cli; time.sleep(4)"
    python = partial(subprocess.run, capture_output=True, text=True)
    leader = python([sys.executable, "-c", lead.format(LEADER)]).stdout.strip()
    ends = [
        python([sys.executable, "-c", led], env={**os.environ, LEADER: leader, **more}).returncode
        for more in ({}, {"SLURM_JOB_ID": "7"})
    ]
    assert ends == [-signal.SIGTERM, 0]
