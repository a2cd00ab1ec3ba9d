"""Two real processes (gloo, CPU) do what one does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lightning_fabric.strategies.launchers.subprocess_script import _ChildProcessObserver
from pytorch_lightning.trainer.states import TrainerFn

from colorizer import signals
from colorizer.data import Photos
from colorizer.data.base import Batch, RawBatch, Split, SplitName
from colorizer.data.sampler import GlobalBatches
from colorizer.runs import open_run
from tests.conftest import Command, Here

# No batch normalization and no augmentation; two epochs of 26 batches.
RUN = (
    "model=linear", "data.max_shift=0", "data.flip=false", "data.eval_batch_size=30",
    "trainer.max_epochs=2", "trainer.accelerator=cpu", "threads=1", "logger=csv",
    "~callbacks.progress", "+trainer.enable_progress_bar=false",
)  # fmt: skip
OWN = ("--config-dir", str(Path(__file__).parent / "conf"), "data=photos_101")


class Photos101(Photos):
    """The photographs, 101 to validate and to test; notes the batches that are validated."""

    def load_splits(self) -> dict[SplitName, Split]:
        splits = dict(super().load_splits())
        for name in ("val", "test"):
            splits[name] = Split(splits[name].images[:101], splits[name].labels[:101])
        return splits

    def on_after_batch_transfer(self, batch: RawBatch, dataloader_idx: int) -> Batch:
        folder = Path(self.trainer.default_root_dir) if self.trainer else Path()
        # After the training; in its epochs the trainer is not `validating` but `fitting`.
        if self.trainer and self.trainer.state.fn == TrainerFn.VALIDATING:
            with (folder / "scored.txt").open("a") as file:
                file.write(f"{len(batch.rgb)}\n")
        return super().on_after_batch_transfer(batch, dataloader_idx)


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory, command: Command) -> Path:
    folder = tmp_path_factory.mktemp("single") / "run"
    done = command("train", *OWN, *RUN, f"hydra.run.dir={folder}", cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr
    return folder


def assert_the_same(single: Path, shared: Path) -> None:
    one, two = open_run(single), open_run(shared)
    assert (two.results["steps"], two.results["epochs"]) == (52, 2)
    losses = [[value for _, value in run.history()["train/loss"]] for run in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    for key, value in one.results.items():
        if key.startswith(("val/", "test/")):
            assert two.results[key] == pytest.approx(value, rel=2e-5, abs=1e-6), key
    counts = [int(line) for line in (shared / "scored.txt").read_text().split()]
    assert sum(counts) == 101
    assert len(counts) == 4  # 51 and 50 images, in batches of at most 30
    assert two.evaluation is not None
    assert two.evaluation.about["images"] == 101  # tested by one process


def test_two_processes_by_lightning(single: Path, tmp_path: Path, command: Command) -> None:
    done = command(
        "train", *OWN, *RUN, "trainer=ddp", "trainer.devices=2",
        f"hydra.run.dir={tmp_path / 'run'}", cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("real images ") == 1
    assert_the_same(single, tmp_path / "run")


@pytest.mark.slow  # 20 s
def test_two_processes_by_torchrun(single: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "-m", "colorizer",
            "train", *OWN, *RUN, "trainer=ddp", "trainer.devices=2",
            f"hydra.run.dir={tmp_path / 'run'}",
        ],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("real images ") == 1
    assert_the_same(single, tmp_path / "run")


@pytest.mark.slow  # 25 s
def test_scoring_the_same_weights_agrees_within_1e_6(single: Path, tmp_path: Path) -> None:
    """101 images, by one process and by two with the weights that the one trained."""
    script = tmp_path / "score.py"
    script.write_text(
        "import json, sys\n"
        "import pytorch_lightning as pl\n"
        "from colorizer.runs import open_run\n"
        "from colorizer.config import resolved\n"
        "from colorizer.train import build_task\n"
        "from tests.test_ddp import Photos101\n"
        "if __name__ == '__main__':\n"
        "    devices = int(sys.argv[2])\n"
        "    data = Photos101(eval_batch_size=30)\n"
        "    trainer = pl.Trainer(accelerator='cpu', devices=devices, logger=False,\n"
        "        strategy='ddp' if devices > 1 else 'auto', enable_progress_bar=False,\n"
        f"        default_root_dir={str(tmp_path)!r})\n"
        "    run = open_run(sys.argv[1])\n"
        "    task = build_task(resolved(run.config, sys.argv[1]))\n"
        "    task.colorizer = run.colorizer()\n"
        "    (values,) = trainer.validate(task, datamodule=data, verbose=False)\n"
        "    if trainer.is_global_zero:\n"
        "        print('RESULT', json.dumps(values))\n"
    )
    results = []
    for devices in (1, 2):
        done = subprocess.run(
            [sys.executable, str(script), str(single), str(devices)],
            cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        results.append(json.loads(line.removeprefix("RESULT ")))
    for key, value in results[0].items():
        assert results[1][key] == pytest.approx(value, rel=1e-6, abs=1e-6), key


def test_the_batches_do_not_depend_on_the_processes() -> None:
    split = Split(torch.zeros(103, 3, 2, 2, dtype=torch.uint8), torch.zeros(103))

    def batches(processes: int, epoch: int) -> list[set[int]]:
        shares = []
        for rank in range(processes):
            sampler = GlobalBatches(split, 12, processes, rank, seed=5)
            sampler.set_epoch(epoch)
            order = list(sampler)
            assert len(order) == len(sampler)
            size = 12 // processes
            shares.append([order[i : i + size] for i in range(0, len(order), size)])
        return [set().union(*parts) for parts in zip(*shares, strict=True)]

    one = batches(1, epoch=0)
    assert one == batches(2, epoch=0) == batches(3, epoch=0)
    assert len(one) == 8
    assert all(len(batch) == 12 for batch in one)
    assert len(set().union(*one)) == 96
    assert one != batches(1, epoch=1)


def test_one_of_several_processes_needs_a_folder(
    here: Here, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert here("train", "data=photos", *RUN) == 2
    assert "add hydra.run.dir=FOLDER" in capsys.readouterr().err


def test_lightnings_observer_lets_an_interrupted_training_end() -> None:
    """It kills a process when another, which was interrupted too, has ended with another status."""
    main = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    other = subprocess.Popen([sys.executable, "-c", "raise SystemExit(130)"])
    other.wait()
    observer = _ChildProcessObserver(main.pid, [other], sleep_period=1)
    observer.start()
    signals.let_the_others_end()
    observer.join(timeout=10)
    assert not observer.is_alive()
    with pytest.raises(subprocess.TimeoutExpired):  # it lives
        main.wait(1)
    main.kill()
    main.wait()
