"""A training that is interrupted, again and again, ends as one that is not."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import colorizer
from colorizer.callbacks import Checkpoints
from colorizer.cli import main
from colorizer.errors import UserError
from colorizer.files import read_json, write_json
from colorizer.loggers import CSVLogger
from colorizer.runs import BEST, LAST, RunWriter, open_run, place_of
from colorizer.tasks import Task
from tests.conftest import CIFAR10_ROOT

SMALL = (
    "data=photos",
    "logger=csv",
    "threads=1",
    "trainer.max_epochs=3",
    "+trainer.limit_train_batches=4",
    "+trainer.limit_val_batches=1",
    "data.batch_size=8",
    "test=false",
    "~callbacks.progress",
)

TASKS = {
    "regression": ("model=cnn", "callbacks=ema", "optimizer=muon"),
    "flow": ("experiment=flow", "task.label_weight=0", "task.guide=null", "model.guide=null"),
    "bins": ("experiment=bins",),
    "likelihood": ("experiment=wavelet", "task.label_weight=0"),
    "adversarial": ("experiment=adversarial", "task.label_weight=0"),
    "accumulated": ("model=linear", "+trainer.accumulate_grad_batches=2"),
    "validated_often": ("model=linear", "+trainer.val_check_interval=2"),
    "overfitted": ("model=linear", "+trainer.overfit_batches=2", "trainer.max_epochs=5"),
    "by_steps": ("model=linear", "+trainer.max_steps=10"),
}


@pytest.fixture
def signals_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[set[int]], None]]:
    """Lets this process get a signal in some of the steps that it makes."""
    made = 0
    step: Any = Task.training_step
    at: set[int] = set()

    def training_step(self: Task, batch: Any, batch_idx: int) -> Any:
        nonlocal made
        made += 1
        if made in at:
            at.remove(made)
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(Task, "training_step", training_step)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def begin(steps: set[int]) -> None:
        nonlocal made
        made = 0
        at.update(steps)

    yield begin
    for number, handler in handlers.items():
        signal.signal(number, handler)


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two checkpoints differ in a bit."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [path]
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        return [d for key in one for d in differences(one[key], other[key], f"{path}.{key}")]
    if isinstance(one, list | tuple):
        assert len(one) == len(other), path
        pairs = enumerate(zip(one, other, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{path}[{i}]")]
    return [] if one == other or path.endswith(".seconds") else [path]


def same(one: Path, other: Path) -> None:
    for name in (BEST, LAST):
        pair = [torch.load(folder / name, weights_only=True) for folder in (one, other)]
        assert differences(*pair) == []
    numbers = [dict(read_json(folder / "results.json")) for folder in (one, other)]
    for values in numbers:
        del values["train/seconds"]
        # The images that were seen are the same, what they cost is not.
        for key in [key for key in values if key.startswith("cost/") and key != "cost/images"]:
            del values[key]
    assert numbers[0] == numbers[1]
    assert (one / "logs/metrics.csv").read_text() == (other / "logs/metrics.csv").read_text()


# The others differ from these in what Lightning itself does.
EVERY_DAY = ("regression", "flow")


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in EVERY_DAY else pytest.mark.slow) for n in TASKS],
)
def test_the_same_bits(name: str, tmp_path: Path, signals_at: Callable[[set[int]], None]) -> None:
    arguments = ["train", *SMALL, *TASKS[name]]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert main([*arguments, f"hydra.run.dir={whole}"]) == 0
    signals_at({2, 4, 7})
    ends = [main([*arguments, f"hydra.run.dir={cut}"]) for _ in range(4)]
    assert ends == [75, 75, 75, 0]
    same(whole, cut)
    sittings = open_run(cut).status["sittings"]
    assert sittings[0]["step"] == 0
    assert len({s["step"] for s in sittings}) == 4
    costs = [sitting["cost"] for sitting in sittings]
    results = open_run(cut).results
    assert results["cost/cpu_seconds"] == pytest.approx(sum(c["cpu_seconds"] for c in costs), abs=1)
    assert results["cost/memory_bytes"] == max(cost["memory_bytes"] for cost in costs)
    assert results["cost/images"] == sum(cost["images"] for cost in costs) > costs[-1]["images"]


def test_a_finished_run_says_its_results_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", *SMALL, "model=linear", f"hydra.run.dir={tmp_path / 'run'}"]
    assert main(arguments) == 0
    before = (tmp_path / "run" / LAST).stat().st_mtime_ns
    capsys.readouterr()
    assert main(arguments) == 0
    assert "photos" in capsys.readouterr().out
    assert (tmp_path / "run" / LAST).stat().st_mtime_ns == before
    assert main([*arguments, "resume=never"]) == 2
    assert "holds another run" in capsys.readouterr().err


def test_what_cannot_be_gone_on_with(
    tmp_path: Path,
    signals_at: Callable[[set[int]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "run"
    arguments = ["train", *SMALL, "model=linear", f"hydra.run.dir={run}"]
    signals_at({6})
    assert main(arguments) == 75
    assert "To go on: colorizer train" in capsys.readouterr().err
    assert main([*arguments, "resume=never"]) == 2
    assert "holds another run" in capsys.readouterr().err
    assert main([*arguments, "optimizer.lr=0.5"]) == 2
    assert "optimizer.lr=0.003, not 0.5" in capsys.readouterr().err
    status = read_json(run / "status.json")
    write_json(run / "status.json", {**status, "code": "another"})
    assert main(arguments) == 2
    assert "another version of the code" in capsys.readouterr().err
    place = place_of(run)
    assert place
    assert main([*arguments, "resume=anyway"]) == 0
    assert open_run(run).status["sittings"][-1]["step"] == place["step"]


def test_a_damaged_checkpoint_is_named(
    tmp_path: Path,
    signals_at: Callable[[set[int]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "run"
    arguments = ["train", *SMALL, "model=linear", f"hydra.run.dir={run}"]
    signals_at({6})
    assert main(arguments) == 75
    (run / LAST).write_bytes((run / LAST).read_bytes()[:1000])
    capsys.readouterr()
    assert main(arguments) == 2
    assert "last.ckpt is damaged" in capsys.readouterr().err
    (run / LAST).unlink()
    assert main(arguments) == 0


def test_unfinished_runs_can_be_used(
    tmp_path: Path,
    signals_at: Callable[[set[int]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "run"
    signals_at({6})
    assert main(["train", *SMALL, "model=linear", f"hydra.run.dir={run}"]) == 75
    file = str(tmp_path / "mine.safetensors")
    for command in (["evaluate", str(run)], ["weights", str(run), "-o", file]):
        assert main(command) == 2
        assert "was interrupted" in capsys.readouterr().err
    assert main(["report", str(run)]) == 2
    capsys.readouterr()
    assert main(["weights", str(run), "-o", file, "--weights", "last"]) == 0
    assert "interrupted after step 6" in capsys.readouterr().out
    assert main(["report", str(run), "--weights", "best"]) == 0
    printed = capsys.readouterr()
    assert "interrupted after step 4" in printed.err
    assert main(["evaluate", str(run), "--weights", "last", "-o", str(tmp_path / "scores")]) == 0
    assert "(interrupted after step 6)" in capsys.readouterr().out
    assert not (run / "evaluation.json").exists()
    with pytest.raises(UserError, match="was interrupted"):
        colorizer.load(run)
    assert colorizer.load(run, weights="last")(torch.zeros(1, 1, 32, 32)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize("name", ["regression", pytest.param("judge", marks=pytest.mark.cifar10)])
def test_killed_after_the_last_step(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is scored and logged is of the step that an earlier sitting came to."""
    judge = ("experiment=judge", "data=cifar10", f"data.root={CIFAR10_ROOT}", "test=true",
             "+trainer.limit_test_batches=1")  # fmt: skip
    more = judge if name == "judge" else ("model=cnn", "test=true", "data.scales=[2,3]")
    arguments = ["train", *SMALL, "trainer.max_epochs=2", *more]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert main([*arguments, f"hydra.run.dir={whole}"]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "finish", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        assert main([*arguments, f"hydra.run.dir={cut}"]) == 75
    assert main([*arguments, f"hydra.run.dir={cut}"]) == 0
    same(whole, cut)


def test_a_signal_as_the_last_state_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals_at: Callable[[set[int]], None]
) -> None:
    """It ends the training, too, and not only what comes after it."""
    arguments = ["train", *SMALL, "model=linear", f"hydra.run.dir={tmp_path / 'run'}"]
    signals_at(set())
    write: Any = Checkpoints._write_last

    def write_last(self: Checkpoints, trainer: Any) -> None:
        write(self, trainer)
        if self._finished:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "_write_last", write_last)
        assert main(arguments) == 75
    place = place_of(tmp_path / "run")
    assert place
    assert place["finished"]
    assert main(arguments) == 0


def test_a_signal_that_hydra_makes_another_error_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signals_at: Callable[[set[int]], None]
) -> None:
    """It closes a file at the end, also one whose opening was interrupted."""
    signals_at(set())
    whole: Any = Path.open
    sent: list[Path] = []

    def interrupted(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.suffix == ".yaml" and not sent:
            sent.append(self)
            os.kill(os.getpid(), signal.SIGTERM)
        return whole(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", interrupted)
    arguments = ["train", "-m", *SMALL, "model=linear", f"hydra.sweep.dir={tmp_path / 'many'}"]
    assert main(arguments) == 75
    assert sent


def test_a_new_column_costs_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is killed as the file is written again, with another head, has the old one."""
    logger = CSVLogger(tmp_path, name="", version="logs")
    logger.log_metrics({"a": 1.0}, step=1)
    logger.save()
    file = tmp_path / "logs" / "metrics.csv"
    before = file.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    logger.log_metrics({"a": 2.0, "b": 1.0}, step=2)
    with monkeypatch.context() as patch:
        patch.setattr("csv.DictWriter.writerows", killed)
        with pytest.raises(KeyboardInterrupt):
            logger.save()
    assert file.read_bytes() == before
    logger.save()
    assert file.read_text().splitlines() == ["a,b,step", "1.0,,1", "2.0,1.0,2"]


@pytest.mark.parametrize(("times", "end"), [(1, "is saved after step 3"), (2, "is at its start")])
def test_ctrl_c(
    times: int,
    end: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    signals_at: Callable[[set[int]], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Once: the step is finished and saved. Twice: the training ends in the middle of it."""
    signals_at(set())
    step: Any = Task.training_step

    def training_step(self: Task, batch: Any, batch_idx: int) -> Any:
        for _ in range(times if batch_idx == 2 else 0):
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(Task, "training_step", training_step)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert main(["train", *SMALL, "model=linear", f"hydra.run.dir={tmp_path / 'run'}"]) == 130
    err = capfd.readouterr().err
    assert "Ctrl-C once more ends it now" in err
    assert f"run {end}. To go on: colorizer train" in err
