"""`colorizer diff` and `colorizer reproduce`, of a real run."""

import shutil
from pathlib import Path

import pytest
import torch

from colorizer.cli import main
from colorizer.config import compose_jobs
from colorizer.files import read_json, write_json
from colorizer.reproduction import Comparison, rebuild_code
from colorizer.runs import checkout, open_run
from colorizer.runs.sources import uncommitted_in
from colorizer.train import train
from tests.conftest import JOB

CHANGE = ("return F.mse_loss(prediction, target)", "return 2 * F.mse_loss(prediction, target)")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of seconds."""
    folder = tmp_path_factory.mktemp("reproduce") / "run"
    (job,) = compose_jobs([*JOB, "model=cnn", "model.width=8", "logger=csv"])
    threads = torch.get_num_threads()
    train(job.config, folder, overrides=job.overrides, progress=False)
    torch.set_num_threads(threads)
    return folder


@pytest.fixture(scope="module")
def again(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, reproduced with the packages that are here."""
    folder = tmp_path_factory.mktemp("reproduce") / "again"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("colorizer.signals.install", lambda: None)  # not in the process of the tests
        patch.setenv("COLORIZER_LEADER", "")
        assert main(["reproduce", str(run), "--here", "-o", str(folder)]) == 0
    return folder


def test_the_same_bits(run: Path, again: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = open_run(run), open_run(again / "run")
    comparison = Comparison(before, after)
    assert comparison.exact
    assert comparison.weights
    assert comparison.history
    assert len(comparison.metrics) > 20
    for key in ("settings", "code"):
        assert before.status[key] == after.status[key]
    assert before.results["test/mse"] == after.results["test/mse"]
    # What is there is compared again, and nothing is trained.
    began = after.status["started"]
    assert main(["reproduce", str(run), "--here", "-o", str(again)]) == 0
    count = len(comparison.metrics)
    end = f"the same bits: {count} of {count} metrics; metrics over time: yes; best weights: yes"
    assert end in capsys.readouterr().out
    assert open_run(again / "run").status["started"] == began


def test_a_metric_that_differs_is_named(
    run: Path, again: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(again / "run", tmp_path / "again" / "run")
    results = read_json(again / "run" / "results.json")
    other = {**results, "test/psnr": results["test/psnr"] + 1e-9}
    write_json(tmp_path / "again" / "run" / "results.json", other)
    assert main(["reproduce", str(run), "--here", "-o", str(tmp_path / "again")]) == 1
    assert "1 of 23 metrics differ from the record" in capsys.readouterr().err


def test_the_difference_of_two_runs(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings, the patch between two states that no commit holds, packages, and metrics."""
    other = tmp_path / "other"
    shutil.copytree(run, other, ignore=shutil.ignore_patterns("wandb"))
    config = other / "config.yaml"
    config.write_text(config.read_text().replace("lr: 0.003", "lr: 0.5"))
    root = checkout()
    assert root is not None
    rebuild_code(open_run(run), root, tmp_path / "code")
    source = tmp_path / "code" / "colorizer" / "losses" / "error.py"
    source.write_text(source.read_text().replace(*CHANGE))
    (other / "code.patch").write_bytes(uncommitted_in(tmp_path / "code").patch)
    lock = other / "requirements.txt"
    lock.write_text(lock.read_text().replace("numpy==", "numpy==0.0.dev"))
    results = read_json(other / "results.json")
    write_json(other / "results.json", {**results, "test/psnr": results["test/psnr"] + 3})

    patch = tmp_path / "change.patch"
    assert main(["diff", str(run), str(other), "--patch", str(patch)]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed  # no terminal
    changed = [line for line in patch.read_text().splitlines() if line[:1] in "+-"]
    assert changed[2:] == [f"-        {CHANGE[0]}", f"+        {CHANGE[1]}"]
    rows = {line.split("  ")[1]: line.split() for line in printed.splitlines() if "  " in line}
    assert rows["optimizer.lr"][-2:] == ["0.003", "0.5"]
    assert rows["numpy"][-1].startswith("0.0.dev")
    # 3 dB, with the doubt of the same images: none, as the resamplings are the same.
    assert rows["test PSNR"][-3:] == ["+3.000", "±0.000", "yes"]
    assert rows["test SSIM"][-2:] == ["same", "bits"]
    assert "the same: data, machine" in printed


def test_what_cannot_be_reproduced(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    assert main(["reproduce", str(run), "-o", str(tmp_path / "mine")]) == 2
    assert "mine is not empty" in capsys.readouterr().err
    copy = tmp_path / "copy"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("wandb"))
    (copy / "requirements.txt").unlink()
    assert main(["reproduce", str(copy), "-o", str(tmp_path / "new")]) == 2
    assert "--here takes those that are installed now" in capsys.readouterr().err
    status = read_json(copy / "status.json")
    write_json(copy / "status.json", {**status, "state": "interrupted"})
    assert main(["reproduce", str(copy), "--here"]) == 2
    assert "was interrupted" in capsys.readouterr().err


@pytest.mark.slow
def test_in_a_fresh_environment(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every version is installed anew, and one that nobody has is replaced and named."""
    record = tmp_path / "record"
    shutil.copytree(run, record, ignore=shutil.ignore_patterns("wandb"))
    lock = record / "requirements.txt"
    lock.write_text(lock.read_text() + "no-such-thing-of-ours==9.9\n")
    folder = tmp_path / "fresh"
    assert main(["reproduce", str(record), "-o", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "differs   no-such-thing-of-ours: 9.9 on record, not to be had here" in printed
    assert "the same bits: 23 of 23 metrics" in printed
    assert f"python    {folder / 'venv'}" in printed
