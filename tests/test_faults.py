"""Faults around a training that must not end it: W&B that fails, and output that nobody reads."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from colorizer import tracking
from colorizer.runs import open_run
from tests.conftest import QUICK, Here

TRAIN = (
    sys.executable,
    "-m",
    "colorizer",
    "train",
    *QUICK,
    "model=cnn",
    "threads=1",
    "data.scales=[2,3]",
)


def services(of: int) -> list[int]:
    """The processes of W&B that a process has started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        if parent == of and words[0].endswith(b"wandb-core"):
            found.append(int(process.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds W&B's process in /proc")
def test_wandbs_service_is_killed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = [*TRAIN, "trainer.max_epochs=20", "test=false", f"hydra.run.dir={run}"]
    # Without the service of this process, which an earlier test may have started.
    environment = {k: v for k, v in os.environ.items() if k != "WANDB_SERVICE"}
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 120
        killed: list[int] = []
        while not killed:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.02)
            if (run / "checkpoints" / "best.ckpt").exists():
                killed = services(process.pid)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        _, err = process.communicate(timeout=200)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert err.count("W&B failed") == 1, err
    assert "the training goes on without it" in err
    assert "Traceback" not in err, err
    assert open_run(run).results["epochs"] == 20
    assert len(open_run(run).history()["val/mse"]) == 20


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("WANDB_MODE", "nonsense", "WANDB_MODE=nonsense: none of offline, online"),
        pytest.param("WANDB_BASE_URL", "nonsense", "W&B failed", marks=pytest.mark.slow),
    ],
)
def test_nonsense_for_wandb(variable: str, value: str, said: str, tmp_path: Path) -> None:
    environment = {**os.environ, "WANDB_MODE": "online", "WANDB_API_KEY": 40 * "0"}
    done = subprocess.run(
        [*TRAIN, "test=false", "~callbacks.progress", "hydra.run.dir=run"],
        env={**environment, variable: value},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(said) == 1, done.stderr
    assert "the training goes on offline" in done.stderr
    assert "Traceback" not in done.stderr
    assert open_run(tmp_path / "run").state == "finished"
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))


def test_modes_of_wandb_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for mode in tracking.MODES:
        monkeypatch.setenv("WANDB_MODE", mode)
        tracking.check_environment()
        assert os.environ["WANDB_MODE"] == mode
    assert not caplog.records


def test_nobody_reads_what_it_prints(tmp_path: Path) -> None:
    """As with `| head -1`, and a standard error that is full."""
    reader, writer = os.pipe()
    with Path("/dev/full").open("w") as full:
        process = subprocess.Popen(
            [*TRAIN, "logger=csv", "hydra.run.dir=run"], cwd=tmp_path, stdout=writer, stderr=full
        )
    os.close(writer)
    os.close(reader)
    assert process.wait(timeout=200) == 0
    assert open_run(tmp_path / "run").state == "finished"


def test_a_damaged_run_does_not_block_a_report(
    here: Here, tmp_path: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "whole").symlink_to(trained)
    for name, file in (("one", "config.yaml"), ("two", "status.json"), ("three", "results.json")):
        (folder / name).mkdir()
        for path in trained.glob("*.*"):
            (folder / name / path.name).write_bytes(path.read_bytes())
        (folder / name / file).write_bytes(b"")
    assert here("report", str(folder / "one"), str(folder / "two"), str(trained)) == 0
    assert here("report", str(folder), str(trained)) == 0
    err = capsys.readouterr().err
    for name in ("one", "two", "three"):
        assert err.count(f"left out: {folder / name} is damaged") >= 1, err
