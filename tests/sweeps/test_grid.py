"""A sweep over every combination, as a user meets it."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from colorizer.runs import open_run
from colorizer.sweeps.plan import Sweep, WantedJob
from tests.conftest import JOB, Here

SWEEP = ("train", "-m", "study=first", *JOB)


def states(folder: Path) -> dict[str, str]:
    return {path.name: open_run(path).state for path in Sweep(folder).numbered()}


def test_the_same_command_goes_on_where_it_stopped(
    here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "outputs" / "first"
    grid = ("loss.weights.mse=1,1e39", "seed=range(2)")
    assert here(*SWEEP, *grid) == 1
    printed = capsys.readouterr()
    assert states(folder) == {"0": "finished", "1": "finished", "2": "failed", "3": "failed"}
    # At once, and again at the end with number, overrides and the last line of the error.
    assert "job 2 (mse=1e+39, seed=0) failed: the loss is not finite" in printed.err
    end = printed.err[printed.err.index("2 of 4 jobs failed") :]
    assert "job 3 (mse=1e+39, seed=1) failed: RunError: the loss is not finite" in end
    assert "retry_failed=true" in end
    assert "Traceback" not in printed.err
    assert "(1 of 4 over, " in printed.out
    assert " left)" in printed.out

    before = {path: path.stat().st_mtime_ns for path in folder.glob("[0-9]/*")}
    assert here(*SWEEP, *grid) == 1
    printed = capsys.readouterr()
    assert "4 of 4 jobs are in outputs/first already" in printed.out
    assert "2 of 4 jobs failed" in printed.err
    assert {path: path.stat().st_mtime_ns for path in folder.glob("[0-9]/*")} == before

    # The failed ones again, and nothing else; then a seed more.
    assert here(*SWEEP, *grid, "retry_failed=true") == 1
    capsys.readouterr()
    assert states(folder) == {
        "0": "finished", "1": "finished", "2": "failed", "3": "failed", "4": "failed", "5": "failed"
    }  # fmt: skip
    assert here(*SWEEP, "loss.weights.mse=1", "seed=range(3)") == 0
    printed = capsys.readouterr()
    assert "2 of 3 jobs are in outputs/first already" in printed.out
    assert states(folder)["6"] == "finished"

    # One table: a group of three seeds, from what was varied.
    with (folder / "summary.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["n"] == "3"
    values = [open_run(folder / name).results["test/psnr"] for name in ("0", "1", "6")]
    assert float(row["test/psnr_mean"]) == pytest.approx(sum(values) / 3)
    assert (folder / "report.html").is_file()


def test_other_code_is_run_again_and_the_newer_run_counts(
    here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "outputs" / "first"
    assert here(*SWEEP, "seed=0,1") == 0
    status = json.loads((folder / "0" / "status.json").read_text())
    (folder / "0" / "status.json").write_text(json.dumps({**status, "code": "of another day"}))
    capsys.readouterr()
    assert here(*SWEEP, "seed=0,1") == 0
    printed = capsys.readouterr()
    assert "1 of 2 jobs are in outputs/first already" in printed.out
    assert "1 runs were begun again; the newer ones count" in printed.err
    with (folder / "summary.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["n"] == "2"


def test_nothing_of_a_job_leaks_into_the_next(here: Here, tmp_path: Path) -> None:
    jobs = ("threads=2", "model=cnn", "logger=csv")
    assert here("train", *JOB, *jobs, "seed=0", "hydra.run.dir=alone") == 0
    assert here(*SWEEP, *jobs, "seed=0,1,0", "loss=mse,l1") == 0
    assert here("train", "-m", "study=last", *JOB, *jobs, "optimizer=adam,adamw", "seed=0") == 0
    alone = scores(tmp_path / "alone")
    first = tmp_path / "outputs" / "first"
    assert scores(first / "0") == alone
    assert len(states(first)) == 4  # the same job twice is one
    assert scores(tmp_path / "outputs" / "last" / "1") == alone
    assert scores(first / "2") != alone


def scores(folder: Path) -> dict[str, float]:
    results = open_run(folder).results
    return {k: v for k, v in results.items() if k.startswith(("val/", "test/"))}


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_an_interrupted_sweep_keeps_what_is_finished_and_goes_on(
    tmp_path: Path, here: Here, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    epochs = "trainer.max_epochs=3,100000,2"
    process = start(tmp_path, *SWEEP, epochs)
    folder = tmp_path / "outputs" / "first"
    try:
        wait_for(process, folder / "1" / "checkpoints" / "best.ckpt")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == (130 if number == signal.SIGINT else 75)
    assert "Traceback" not in err
    assert "the same command goes on from there" in err
    assert states(folder) == {"0": "finished", "1": "interrupted"}
    assert "max_epochs=3" in out
    gone(process.pid)
    # The same study with a job that ends: only what is missing is run.
    assert here(*SWEEP, "trainer.max_epochs=3,2") == 0
    assert "1 of 2 jobs are in outputs/first already" in capsys.readouterr().out
    assert states(folder) == {"0": "finished", "1": "interrupted", "2": "finished"}


def test_a_folder_that_a_killed_process_left_is_used(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / ".lock").touch()
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "mine.txt").touch()
    wanted = [WantedJob([f"seed={n}"], f"seed={n}", f"settings {n}", "code") for n in range(2)]
    assert [job.folder.name for job in Sweep(tmp_path).plan(wanted)] == ["0", "2"]


def test_a_second_sweep_in_the_same_folder_is_refused(
    tmp_path: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sweep(tmp_path / "outputs" / "first").locked():
        assert here(*SWEEP, "seed=0,1") == 2
    assert "another sweep is at work in outputs/first (process " in capsys.readouterr().err
    assert states(tmp_path / "outputs" / "first") == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("seed=range(0)",), "the sweep has no jobs: seed=range(0) is empty"),
        (("optimizer.lrr=1,2",), "nothing reads the key 'lrr'"),
        (("study=a/b", "seed=0,1"), "study=a/b: a name of letters"),
        (("study=a,b",), "study has several values"),
        (("optimizer.lr=interval(0,1)",), "hydra/sweeper=optuna searches an interval"),
        (("seed=0,1", "hydra/launcher=gpus"), "this machine has no GPU"),
    ],
)
def test_mistakes(
    here: Here,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert here("train", "-m", *JOB, *arguments) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert 1 <= len(printed.strip().splitlines()) <= 2, printed
    assert list(tmp_path.iterdir()) == []


def test_a_launcher_whose_extra_is_not_installed(
    here: Here, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert here("train", "-m", *JOB, "seed=0,1", "hydra/launcher=local") == 2
    assert "pip install 'colorizer[local]'" in capsys.readouterr().err


def test_values_from_a_config_file_are_swept_too(here: Here, tmp_path: Path) -> None:
    (tmp_path / "more" / "experiment").mkdir(parents=True)
    (tmp_path / "more" / "experiment" / "mine.yaml").write_text(
        "# @package _global_\nhydra:\n  sweeper:\n    params:\n      seed: 4,5\n"
    )
    more = ("--config-dir", str(tmp_path / "more"), "experiment=mine")
    assert here(*SWEEP, *more) == 0
    seeds = [open_run(path).config.seed for path in Sweep(tmp_path / "outputs/first").numbered()]
    assert seeds == [4, 5]


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The command as a process in a session of its own, with SIGINT as a terminal leaves it."""
    return subprocess.Popen(
        [sys.executable, "-m", "colorizer", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(process: "subprocess.Popen[str]", path: Path) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)


def gone(session: int) -> None:
    """No process of the session is left, after a moment."""
    deadline = time.monotonic() + 20
    while True:
        left = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[3] == str(session) and fields[0] != "Z":
                left.append(stat.parent.name)
        if not left:
            return
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
