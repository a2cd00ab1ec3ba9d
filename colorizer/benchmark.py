"""Measures what the framework costs.

Two comparisons in one process, on the same work, as ratios of interleaved repetitions:

- the training loop against a bare PyTorch loop over the same network: uint8 images in memory,
  `randperm` batches, the same augmentation, loss, optimizer, schedule and gradient clipping;
- the data path against torchvision's CIFAR10 with the same augmentation as per-sample transforms
  in a DataLoader without workers.

And the time that a job of a sweep takes beside its training.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig
from torch.utils.data import DataLoader
from tqdm import tqdm

from colorizer.color import luma
from colorizer.config import build, compose_jobs, resolved
from colorizer.data import CIFAR10, ColorizationData, Split, SplitName
from colorizer.data.base import RawBatch
from colorizer.errors import UserError
from colorizer.runs import open_run
from colorizer.sweeps.plan import Sweep
from colorizer.tasks import Task
from colorizer.train import build_parts

TITLES = ["", "colorizer images/s", "plain images/s", "ratio", "at least"]

# Images in an epoch: some seconds each, on 2 cores.
EPOCHS = {"unet": 2560, "linear": 5120}
DATA_IMAGES = 10_000


class InMemory(ColorizationData):
    """Images that are there already, as the training split."""

    name = "in memory"
    image_size = 32

    def __init__(self, split: Split, like: ColorizationData) -> None:
        super().__init__(
            like.batch_size, like.eval_batch_size, like.num_workers, like.max_shift, like.flip
        )
        self._only = split

    def load_splits(self) -> dict[SplitName, Split]:
        """The same images for everything."""
        return {"train": self._only, "val": self._only, "test": self._only}


class EpochTimer(pl.Callback):
    """Seconds of the training epoch alone."""

    seconds: float

    def on_train_epoch_start(self, *_: Any) -> None:
        """Start."""
        self._start = time.perf_counter()

    def on_train_epoch_end(self, *_: Any) -> None:
        """Stop."""
        self.seconds = time.perf_counter() - self._start


def measure(repetitions: int) -> tuple[dict[str, Any], list[list[str]]]:
    """Measure everything; returns the results and the lines of `TITLES`.

    Args:
        repetitions: of each measurement, interleaved with what it is compared with.
    """
    images, source = _images()
    results: dict[str, Any] = {
        "images": source,
        "repetitions": repetitions,
        "threads": torch.get_num_threads(),
    }
    rows = []
    total = (len(EPOCHS) + 1) * (repetitions + 1)
    with tqdm(total=total, desc="bench") as bar:
        for model, count in EPOCHS.items():
            pairs = _interleaved(*_training(model, images, count), repetitions, bar)
            ratio = statistics.median(b / a for a, b in pairs)
            results.setdefault("train_overhead_ratio", {})[model] = round(ratio, 4)
            rows.append([f"training, {model}", *_rates(pairs, count), f"{ratio:.3f}", "0.95"])
        pairs = _interleaved(*_data_paths(images), repetitions, bar)
        ratio = statistics.median(b / a for a, b in pairs)
        results["data_speedup"] = round(ratio, 2)
        rows.append(["data path", *_rates(pairs, DATA_IMAGES), f"{ratio:.1f}", "8"])
    results["sweep_overhead_s"] = round(sweep_overhead(max(repetitions, 3)), 3)
    return results, rows


def sweep_overhead(jobs: int) -> float:
    """Median seconds of a sweep's jobs, less their training, after the first.

    A job is as users have it, with both loggers, checkpoints, scores and pictures, on the 192
    images of the smoke test, so that scoring takes next to nothing.

    Args:
        jobs: how many are measured.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "colorizer", "train", "-m", "data=photos", "model=linear"]
        command += [
            "trainer.accelerator=cpu",
            "trainer.max_epochs=1",
            "+trainer.limit_train_batches=5",
        ]
        command += [f"seed=range({jobs + 2})"]
        command += [f"hydra.sweep.dir={folder}/sweep"]
        subprocess.run(command, check=True, capture_output=True)
        runs = [open_run(path) for path in Sweep(Path(folder) / "sweep").numbered()]
        starts = [datetime.fromisoformat(run.status["started"]) for run in runs]
        return statistics.median(
            (later - begun).total_seconds() - run.results["train/seconds"]
            for run, begun, later in list(zip(runs, starts, starts[1:], strict=False))[1:]
        )


def _images() -> tuple[Split, str]:
    config = _config("unet")
    data = build(config.data)
    assert isinstance(data, CIFAR10)
    try:
        data.download = False
        return data.split("train"), "CIFAR-10"
    except UserError:
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, (20_000, 3, 32, 32), generator=generator).to(torch.uint8)
        return Split(images, torch.zeros(len(images), dtype=torch.int64)), "synthetic images"


def _config(model: str) -> DictConfig:
    (job,) = compose_jobs([f"model={model}", "trainer.accelerator=cpu"])
    return resolved(job.config, ".")


def _interleaved(
    ours: Callable[[], float], other: Callable[[], float], repetitions: int, bar: "tqdm[Any]"
) -> list[tuple[float, float]]:
    """Seconds of both, in turns, after one turn that does not count."""
    pairs = []
    for _ in range(repetitions + 1):
        pairs.append((ours(), other()))
        bar.update()
    return pairs[1:]


def _rates(pairs: list[tuple[float, float]], images: int) -> list[str]:
    return [f"{images / statistics.median(side):,.0f}" for side in zip(*pairs, strict=True)]


def _training(
    model: str, images: Split, count: int
) -> tuple[Callable[[], float], Callable[[], float]]:
    config = _config(model)
    split = Split(images.images[:count], images.labels[:count])

    def ours() -> float:
        like, task = build_parts(config)
        timer = EpochTimer()
        callbacks = [build(config.callbacks.non_finite), timer]
        trainer: pl.Trainer = build(
            config.trainer,
            max_epochs=1,
            limit_val_batches=0,
            logger=False,
            callbacks=callbacks,
            enable_checkpointing=False,
            enable_progress_bar=False,
        )
        trainer.fit(task, datamodule=InMemory(split, like))
        return timer.seconds

    def bare() -> float:
        data, task = build_parts(config)
        assert isinstance(task, Task)
        colorizer, batch_size = task.colorizer.train(), data.batch_size
        steps = count // batch_size
        optimizer = task.make_optimizer(colorizer.parameters())
        scheduler = task.make_scheduler(optimizer, total_steps=steps)
        start = time.perf_counter()
        order = torch.randperm(count)
        for step in range(steps):
            where = order[step * batch_size : (step + 1) * batch_size]
            raw = RawBatch(split.images[where], split.labels[where])
            batch = data.prepare(raw, augment=True)
            loss = torch.nn.functional.mse_loss(colorizer.decode(batch.gray), batch.rgb)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(colorizer.parameters(), config.trainer.gradient_clip_val)
            optimizer.step()
            scheduler.step()
        return time.perf_counter() - start

    return ours, bare


def _data_paths(images: Split) -> tuple[Callable[[], float], Callable[[], float]]:
    from torchvision import datasets, transforms

    split = Split(images.images[:DATA_IMAGES], images.labels[:DATA_IMAGES])
    like: ColorizationData = build(_config("unet").data)
    data = InMemory(split, like)
    # torchvision's own class, less the reading of files.
    plain = datasets.CIFAR10.__new__(datasets.CIFAR10)
    plain.data = np.ascontiguousarray(split.images.permute(0, 2, 3, 1).numpy())
    plain.targets = split.labels.tolist()
    plain.target_transform = None
    plain.transform = transforms.Compose(
        [
            transforms.RandomCrop(32, padding=like.max_shift, padding_mode="reflect"),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
        ]
    )
    loader: DataLoader[Any] = DataLoader(
        plain, batch_size=data.batch_size, shuffle=True, drop_last=True
    )

    def ours() -> float:
        start = time.perf_counter()
        for batch in data.train_dataloader():
            data.prepare(batch, augment=True)
        return time.perf_counter() - start

    def theirs() -> float:
        start = time.perf_counter()
        for rgb, _ in loader:
            luma(rgb)
        return time.perf_counter() - start

    return ours, theirs
