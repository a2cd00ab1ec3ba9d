"""The command `colorizer train`, as a user meets it."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from colorizer.cli import main
from colorizer.runs import find_runs, open_run
from colorizer.runs.names import describe
from tests.conftest import CIFAR10_ROOT, NEEDS_COMPILER, QUICK, Command


def wandb_reader(run: Path, *options: str) -> str:
    """An offline run, read back by W&B's own reader."""
    (file,) = run.glob("wandb/offline-run-*/run-*.wandb")
    wandb = Path(sys.executable).parent / "wandb"
    arguments = [str(wandb), "leet", "inspect", "--json", *options, str(file)]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


def wandb_summary(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(wandb_reader(run, "--summary"))
    return content


def wandb_records(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in wandb_reader(run).splitlines()]


def test_it_prints_a_table_beside_the_baselines_and_where_the_run_is(trained: Path) -> None:
    printed = (trained / "stdout.txt").read_text()
    assert "photos, 192 test images, protocol 1 — smoke test, not a result" in printed
    lines = printed.splitlines()
    table = lines[next(i for i, line in enumerate(lines) if line.startswith("run ")) + 2 :]
    names = [line.split("  ")[0] for line in table[:6]]
    assert names[:4] == ["gray_copy", "mean_chroma", "gray_lookup", "true ab at half size"]
    assert "seed=3" in names[4]
    assert names[5] == "real images"
    assert str(trained) in printed
    psnr = open_run(trained).results["test/psnr"]
    assert f"{psnr:.2f}" in table[4]


def test_weights_and_biases_reads_the_run_back(trained: Path) -> None:
    found = wandb_summary(trained)
    text = json.dumps(found)
    results = open_run(trained).results
    assert found["config"]["seed"] == 3
    assert found["config"]["data"]["_target_"] == "colorizer.data.Photos"
    assert found["summary"]["test/mse"] == pytest.approx(results["test/mse"])
    assert found["tags"] == ["test"]
    assert found["exit_code"] == 0
    assert "val/psnr" in text
    assert "examples/test" in text
    (run,) = [record["run"] for record in wandb_records(trained) if record["type"] == "run"]
    assert run["run_group"] == "tests"
    assert run["job_type"] == "train"
    images = list(trained.glob("wandb/offline-run-*/files/media/images/examples/*.png"))
    assert {path.name.split("_")[0] for path in images} == {"val", "test"}


def test_the_same_command_gives_the_same_numbers(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    again = tmp_path / "again"
    done = command("train", *QUICK, "seed=3", "logger=none", f"hydra.run.dir={again}")
    assert done.returncode == 0, done.stderr
    first, second = (
        {k: v for k, v in open_run(run).results.items() if not k.startswith(("train/", "cost/"))}
        for run in (trained, again)
    )
    assert first == second
    assert not (again / "wandb").exists()
    assert not (again / "logs").exists()


def test_a_multirun_compares_its_jobs(tmp_path: Path, command: Command) -> None:
    folder = tmp_path / "sweep"
    done = command(
        "train", "-m", *QUICK, "model=linear,cnn", "logger=csv", f"hydra.sweep.dir={folder}"
    )
    assert done.returncode == 0, done.stderr
    assert [run.name for run in find_runs(folder)] == ["0", "1"]
    rows = [line.split()[0] for line in done.stdout.splitlines() if " rgb " in line + " "]
    assert "linear" in rows
    assert (folder / "report.html").is_file()
    assert (folder / "report-examples.png").is_file()
    assert f"report    {folder / 'report.html'}" in done.stdout


@pytest.mark.slow  # 30 s
def test_two_started_at_once_get_two_directories(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "colorizer", "train", *QUICK, "logger=none"]
    arguments += ["model=linear", "trainer.max_epochs=1", "~callbacks.progress"]
    processes = [subprocess.Popen(arguments, cwd=tmp_path) for _ in range(2)]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    assert len(find_runs(tmp_path / "outputs")) == 2


def test_a_directory_that_holds_a_run_is_refused_and_left_alone(
    trained: Path, command: Command
) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
    done = command("train", *QUICK, f"hydra.run.dir={trained}")
    assert_one_line(done, "holds another run")
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before


def assert_one_line(
    done: "subprocess.CompletedProcess[str]", message: str, status: int = 2
) -> None:
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert 1 <= len(done.stderr.strip().splitlines()) <= 2, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optimizer.learning_rate=1"], "nothing reads the key 'learning_rate'"),
        (["trainer.accelerator=gpu"], "No supported gpu backend found"),
        (["trainer.devices=2", "-m", "seed=0,1"], "with -m, each of the processes would start"),
        (["trainer.max_epochs=0"], "trainer.max_epochs=0: a whole number from 1"),
        (["trainer.precision=bf16-true"], "one of 32-true, 16-mixed, bf16-mixed"),
        (["task=flow_matching", "model.steps=2.5"], "model.steps=2.5: a whole number"),
        (["data.image_size=36", "task=flow_matching"], "must be multiples of 8"),
        (["data.batch_size=100000"], "more than the"),
        (["model=linear", "model.image_size=16"], "expected gray of shape"),
        (["logger.wandb.settings.console=loud"], "logger.wandb.settings.console"),
        (["trainer.devices=3", "data.batch_size=64"], "does not divide over 3 devices"),
        (["model=gray_copy"], "has nothing to train"),
        (["optimizer.lr=fast"], "optimizer.lr=fast: a number above 0"),
        (["trainer.precision=17"], "17"),
        (["--experimental-rerun=x.pickle"], "executes a pickle file"),
    ],
)
def test_mistakes_stop_before_anything_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    if "accelerator=gpu" in arguments[0] and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    monkeypatch.chdir(tmp_path)
    status = main(["train", "data=photos", "trainer.accelerator=cpu", *arguments])
    printed = capsys.readouterr().err
    assert status == 2
    assert message in printed
    assert "Traceback" not in printed
    assert 1 <= len(printed.strip().splitlines()) <= 2, printed
    assert list(tmp_path.iterdir()) == []


def test_no_data_and_no_network(tmp_path: Path, command: Command) -> None:
    environment = {
        **os.environ,
        "COLORIZER_DATA": str(tmp_path / "none"),
        "https_proxy": "http://127.0.0.1:9",
    }
    done = command("train", f"hydra.run.dir={tmp_path / 'run'}", env=environment)
    assert_one_line(done, f"CIFAR-10 is not at {tmp_path / 'none' / 'cifar-10-batches-py'}")
    assert "data=photos" in done.stderr
    assert not (tmp_path / "run").exists()


def test_an_output_folder_that_cannot_be_made(tmp_path: Path, command: Command) -> None:
    (tmp_path / "file").write_text("mine")
    done = command("train", *QUICK, f"hydra.run.dir={tmp_path / 'file' / 'run'}")
    assert_one_line(done, "cannot make the run directory")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("size", "logger", "message"),
    [
        (1_000, "csv", "cannot write to"),
        pytest.param(
            *(1_000_000, "default", "the disk is full (File too large)"), marks=pytest.mark.slow
        ),
    ],
)
def test_a_full_disk(tmp_path: Path, size: int, logger: str, message: str) -> None:
    """A limit on the size of a file stands for it: the checkpoint, or the config, is larger."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    arguments = (
        *QUICK,
        f"logger={logger}",
        "~callbacks.progress",
        f"hydra.run.dir={tmp_path / 'run'}",
    )
    done = subprocess.run(
        [sys.executable, "-m", "colorizer", "train", *arguments],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert message in done.stderr
    if size > 100_000:
        assert "config.yaml" in done.stderr
        assert "best.ckpt" not in done.stderr
        assert open_run(tmp_path / "run").state == "interrupted"
    # With room again, the same command goes on.
    assert main(["train", *arguments]) == 0
    assert open_run(tmp_path / "run").state == "finished"


def test_a_loss_that_is_not_finite_fails_the_run(tmp_path: Path, command: Command) -> None:
    done = command(
        "train",
        *QUICK,
        "model=linear",
        "loss=[mse,l1]",
        "loss.weights.mse=1e39",
        "~callbacks.progress",
        f"hydra.run.dir={tmp_path / 'run'}",
    )
    assert_one_line(done, "the loss is not finite", status=1)
    assert "at step 1" in done.stderr
    run = open_run(tmp_path / "run")
    assert run.state == "failed"
    assert "Traceback" in run.status["traceback"]
    assert wandb_summary(tmp_path / "run")["exit_code"] == 1


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM]
)
def test_an_interrupted_run_says_so(tmp_path: Path, number: signal.Signals) -> None:
    run = tmp_path / "run"
    arguments = [sys.executable, "-m", "colorizer", "train", *QUICK, "trainer.max_epochs=1000"]
    process = subprocess.Popen(
        [*arguments, f"hydra.run.dir={run}"],
        stderr=subprocess.PIPE,
        # A shell that runs the tests in the background has SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 120
        while not (run / "checkpoints" / "best.ckpt").exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.2)
        process.send_signal(number)
        _, printed = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == (130 if number == signal.SIGINT else 75)
    assert b"Traceback" not in printed
    assert b"is saved after step" in printed
    assert b"To go on: colorizer train" in printed
    assert open_run(run).state == "interrupted"
    assert (run / "checkpoints" / "last.ckpt").stat().st_size > 0


def test_a_name_from_the_command_line() -> None:
    assert describe([]) == "default"
    assert describe(["model=cnn", "seed=1", "logger=csv", "hydra.run.dir=x"]) == "cnn, seed=1"
    assert describe(["experiment=course_cnn", "+trainer.max_steps=3"]) == "course_cnn, max_steps=3"


def test_resolved_config_can_be_printed(command: Command, tmp_path: Path) -> None:
    done = command("train", "--cfg", "job", "model=cnn", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "_target_: colorizer.models.CNN" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.cifar10
@NEEDS_COMPILER
@pytest.mark.parametrize(
    ("experiment", "network"), [("faithful_gpu", "model"), ("flow_gpu", "model.velocity")]
)
def test_compiled_and_mixed_precision(
    experiment: str, network: str, tmp_path: Path, command: Command
) -> None:
    done = command(
        "train",
        *(part for part in QUICK if part != "data=photos"),
        f"data.root={Path(CIFAR10_ROOT).absolute()}",
        f"experiment={experiment}",
        f"{network}.widths=[8,16,32]",
        f"{network}.blocks=1",
        "data.batch_size=64",
        "test=false",
        "+trainer.limit_val_batches=1",
        "logger=none",
        f"hydra.run.dir={tmp_path / 'run'}",
    )
    assert done.returncode == 0, done.stderr
    open_run(tmp_path / "run").colorizer()
