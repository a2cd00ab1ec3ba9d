"""Trains, selects and scores one colorizer: `train(config, folder)`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.rank_zero import rank_zero_only
from omegaconf import DictConfig

from colorizer import evaluation, signals, tracking
from colorizer.callbacks import Cost, ExamplePictures
from colorizer.colorizer import Colorizer
from colorizer.config import build, build_colorizer, resolved
from colorizer.costs import Meter
from colorizer.data import ColorizationData, SplitName
from colorizer.errors import UserError
from colorizer.metrics import PROTOCOL
from colorizer.models import Baseline
from colorizer.processes import available_cores
from colorizer.quiet import quiet
from colorizer.runs import BEST, LAST, RunWriter, place_of, read_weights, recorded, threads_of
from colorizer.runs.ending import ending
from colorizer.runs.names import describe
from colorizer.tasks import Task
from colorizer.trainer import no_result, training_trainer
from colorizer.weights import started


@dataclass
class Trained:
    """The outcome of a training: the run directory, its results, the task and the data."""

    folder: Path
    results: dict[str, Any]
    task: Task
    data: ColorizationData


def train(
    config: DictConfig,
    folder: Path,
    *,
    overrides: Sequence[str] = (),
    choices: Mapping[str, str] | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> Trained:
    """Train one colorizer in a run directory of its own, keep its best weights, and score them.

    A directory with an interrupted training of the same config and code is gone on with.

    Args:
        config: as `colorizer.config.compose_jobs` composes it.
        folder: the run directory; made where it is missing.
        overrides: what the command line changed, for the record and the run's name.
        choices: the config file chosen in each group, for the record.
        threads: CPU threads where `config.threads` is null; None for all cores. A training that is
            gone on with keeps its own, on which the last bits depend.
        progress: show a progress bar.

    Raises:
        UserError: something that was asked for cannot be; the run is recorded as failed.
        RunError: the training went wrong.
        Pruned: a search ended it early.
        colorizer.signals.Stopped: a KeyboardInterrupt, by a signal; the run is recorded as
            interrupted, and can be gone on with.
    """
    quiet()
    signals.forget()
    meter = Meter()
    threads = config.threads or threads_of(folder) or threads or available_cores()
    torch.set_num_threads(threads)
    config = config.copy()
    config.name = config.name or describe(overrides)
    written = recorded(config)
    resume = config.resume
    config = resolved(config, str(folder))
    data: ColorizationData = build(config.data)
    writer = None
    if first_process():
        content = data.content_fingerprint()
        writer = RunWriter(folder, written, overrides, choices or {}, content, resume, meter)
    with ending(folder, writer) as loggers:
        task = build_task(config)
        task.check(data)
        data.prepare_data()
        data.setup("fit")
        facts = _facts(task, data)
        if writer:
            writer.describe(facts)
        tracking.start(config.logger, writer.tracker_id if writer else None)
        cost = Cost(meter, writer.keep_cost if writer else None)
        trainer = training_trainer(config, written, choices or {}, folder, progress, [cost])
        loggers.extend(trainer.loggers)
        place = _fit(trainer, task, data, folder)
        results = {
            **facts,
            **no_result(config.trainer),
            **_reached(place),
            **_validate(trainer, task, data, folder),
        }
        if config.test and not config.trainer.get("fast_dev_run"):
            results |= _test(trainer, task, data, writer, config.name, place)
        tracking.finish(exit_code=0, loggers=loggers)
        if writer:
            results = writer.finish(results)
    return Trained(folder, results, task, data)


def build_parts(config: DictConfig) -> tuple[ColorizationData, Task]:
    """Build the data module and the task of a resolved config.

    Raises:
        UserError: a part refuses its arguments, or the parts do not fit together.
    """
    return build(config.data), build_task(config)


def build_task(config: DictConfig) -> Task:
    """Build the task of a resolved config, with the seeds set first.

    Raises:
        UserError: see `build_parts`.
    """
    pl.seed_everything(config.seed, workers=True, verbose=False)
    parts: dict[str, Any] = {}
    if config.model:
        parts["colorizer"] = colorizer = started(build_colorizer(config), config)
        if isinstance(colorizer.network, Baseline):
            name = str(config.model._target_).rpartition(".")[2]
            raise UserError(
                f"{name} is a baseline: it has nothing to train. "
                "colorizer evaluate model=gray_copy,mean_chroma,gray_lookup scores the baselines."
            )
    if config.loss:
        parts["loss"] = build(config.loss)
    task: Task = build(
        config.task,
        optimizer=build(config.optimizer),
        scheduler=build(config.scheduler),
        **parts,
    )
    return task


def first_process() -> bool:
    """True in the process of a multi-GPU run that writes and prints."""
    return bool(rank_zero_only.rank == 0)  # type: ignore[attr-defined]


def _fit(trainer: pl.Trainer, task: Task, data: ColorizationData, folder: Path) -> dict[str, Any]:
    """Train to the end, from where an earlier sitting stopped; return the place, see `place_of`."""
    place = place_of(folder)
    if place:
        tracking.go_on(trainer.loggers, place["step"])
    if not (place and place["finished"]):
        path = folder / LAST if place else None
        try:
            trainer.fit(task, datamodule=data, ckpt_path=path, weights_only=True)
        except KeyboardInterrupt:
            signals.let_the_others_end()
            raise
        place = place_of(folder)
    assert place is not None
    return place


def _facts(task: Task, data: ColorizationData) -> dict[str, Any]:
    """Say what is trained, and on what."""
    splits: tuple[SplitName, ...] = ("train", "val", "test")
    return {
        "protocol": PROTOCOL,
        "data": data.name,
        "caveat": data.caveat,
        **{f"{split}_fingerprint": data.split(split).fingerprint for split in splits},
        **{f"{split}_images": len(data.split(split)) for split in splits[1:]},
        "parameters": sum(p.numel() for p in task.trained.parameters()),
    }


def _reached(place: Mapping[str, Any]) -> dict[str, Any]:
    """Say how far the training went, and which weights are scored."""
    return {
        "weights": BEST,
        "epochs": place["epoch"],
        "steps": place["step"],
        "train/seconds": round(place["seconds"], 3),
    }


def _validate(
    trainer: pl.Trainer, task: Task, data: ColorizationData, folder: Path
) -> dict[str, float]:
    """Load the best weights and validate once more, with those that are kept."""
    task.trained.load_state_dict(read_weights(folder / BEST, task.part))
    # In the loggers it would look like another epoch.
    loggers, trainer.loggers = trainer.loggers, []
    (values,) = trainer.validate(task, datamodule=data, verbose=False)
    trainer.loggers = loggers
    return dict(values)


def _test(
    trainer: pl.Trainer,
    task: Task,
    data: ColorizationData,
    writer: RunWriter | None,
    name: str,
    place: Mapping[str, Any],
) -> dict[str, float | None]:
    """Score the best weights as `colorizer evaluate` does, without judges, in one process."""
    colorizer = task.trained
    values: dict[str, float | None]
    if not isinstance(colorizer, Colorizer):
        # The trainer does not know the step, where it was not this sitting that trained.
        loggers, trainer.loggers = trainer.loggers, []
        values = dict(trainer.test(task, datamodule=data, verbose=False)[0])
        trainer.loggers = loggers
    elif writer is None:
        return {}
    else:
        record, pictures = evaluation.evaluate(colorizer.eval(), data, "test", name=name)
        writer.add_evaluation(record, pictures)
        values = {f"test/{key}": value for key, value in record.own.headline.items()}
    numbers = {key: value for key, value in values.items() if value is not None}
    for logger in trainer.loggers:
        logger.log_metrics({**numbers, "epoch": place["epoch"]}, place["step"])
        logger.save()
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, ExamplePictures) and isinstance(colorizer, Colorizer):
            device = next(colorizer.parameters()).device
            callback.write_test(colorizer, data, trainer.loggers, device, place["step"])
    return values
