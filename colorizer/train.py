"""Trains, tests and shows a colorizer: `colorizer train`."""

import contextlib
import errno
import importlib.util
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import hydra
import pytorch_lightning as pl
import torch
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from lightning_fabric.utilities.rank_zero import rank_zero_only
from omegaconf import DictConfig, OmegaConf, open_dict
from pytorch_lightning.accelerators import MPSAccelerator
from pytorch_lightning.utilities.exceptions import SIGTERMException

from colorizer import signals, tracking
from colorizer.commands.sweep import describe, sweep
from colorizer.config import Job, build, build_colorizer, compose_jobs, quoted, resolved
from colorizer.console import complain, say
from colorizer.data import Batch, ColorizationData, SplitName
from colorizer.errors import Pruned, RunError, UserError, first_line
from colorizer.evaluation.fidelity import accelerator, reference_rows
from colorizer.metrics import PROTOCOL
from colorizer.models import Baseline
from colorizer.paths import config_folder
from colorizer.quiet import quiet
from colorizer.report.summary import Summary
from colorizer.runs import BEST, RunWriter, check_free, open_run, read_weights, recorded
from colorizer.sweeps.launchers import available_cores, in_process, jobs_at_once
from colorizer.sweeps.plan import Sweep
from colorizer.sweeps.run import announce
from colorizer.tasks import ColorizationTask, Training

# What a run is that ended with one of these.
STATES = {KeyboardInterrupt: "interrupted", Pruned: "pruned"}

# Of Lightning's.
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed")

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass
class Trained:
    """What a training leaves behind."""

    folder: Path
    results: dict[str, Any]
    task: Training
    data: ColorizationData


# --- one job ---


def train(
    config: DictConfig,
    folder: Path,
    overrides: Sequence[str] = (),
    choices: Mapping[str, str] | None = None,
    threads: int | None = None,
    silently: bool = False,
) -> Trained:
    """Train, select and test one colorizer in a run directory of its own.

    Args:
        config: as composed, without Hydra's own part.
        folder: the run directory.
        overrides: what the command line changed, for the record and the run's name.
        choices: the config file chosen in each group, for the record.
        threads: of the processor, unless the config says.
        silently: without a progress bar, as one of several jobs at a time.

    Raises:
        UserError: something that was asked for cannot be; the run is recorded as failed.
        RunError: the training went wrong.
        Pruned: a search gave it up.
        KeyboardInterrupt: SIGINT or SIGTERM; the run is recorded as interrupted.
    """
    quiet()
    torch.set_num_threads(config.threads or threads or available_cores())
    config = config.copy()
    config.name = config.name or describe(overrides)
    written = recorded(config)
    config = resolved(config, str(folder))
    if silently:
        config.callbacks = {k: v for k, v in (config.callbacks or {}).items() if k != "progress"}
        with open_dict(config):
            config.trainer.enable_progress_bar = False
    data: ColorizationData = build(config.data)
    writer = None
    if _first_process():
        content = data.content_fingerprint()
        writer = RunWriter(folder, written, overrides, choices or {}, content)
    try:
        # Before the processes of a multi-GPU run wait for each other, and before the seeds are set.
        compared = writer and config.test and config.model
        references = reference_rows(data, "test") if compared else {}
        trained = _fit_and_test(config, written, folder, data)
        tracking.finish(exit_code=0)
        if writer:
            writer.finish(trained.results, references)
    except BaseException as caught:
        error = _translated(caught, folder, writer)
        if writer:
            writer.stop(STATES.get(type(error), "failed"), error)
        pruned = isinstance(error, Pruned)
        with contextlib.suppress(Exception):  # the first error is the one to report
            tracking.finish(exit_code=0 if pruned else 1, state="pruned" if pruned else None)
        if error is caught:
            raise
        raise error from caught
    return trained


def _fit_and_test(
    config: DictConfig, written: DictConfig, folder: Path, data: ColorizationData
) -> Trained:
    task = build_task(config)
    task.check(data)
    data.prepare_data()
    data.setup("fit")
    tracking.start(config.logger)
    trainer = _trainer(
        config.trainer,
        callbacks=[
            signals.StopWhenInterrupted(),
            *(build(node) for node in (config.callbacks or {}).values() if node),
        ],
        logger=[build(node) for node in (config.logger or {}).values() if node],
    )
    for logger in trainer.loggers:
        logger.log_hyperparams(OmegaConf.to_container(written))  # type: ignore[arg-type]

    if trainer.global_rank > 0:
        # Built from the same seed; augmented from different ones.
        torch.manual_seed(config.seed + trainer.global_rank)
    started = time.perf_counter()
    trainer.fit(task, datamodule=data)
    seconds = time.perf_counter() - started
    epochs, steps = trainer.current_epoch, trainer.global_step

    best = folder / BEST
    if best.is_file():
        task.trained.load_state_dict(read_weights(best, task.part))
    # Scored once more, with the weights that were chosen; over there it would look like an epoch.
    loggers, trainer.loggers = trainer.loggers, []
    (val,) = trainer.validate(task, datamodule=data, verbose=False)
    trainer.loggers = loggers
    test = trainer.test(task, datamodule=data, verbose=False)[0] if config.test else {}
    results = {
        "protocol": PROTOCOL,
        "data": data.name,
        "caveat": data.caveat,
        "train_fingerprint": data.split("train").fingerprint,
        "val_fingerprint": data.split("val").fingerprint,
        "test_fingerprint": data.split("test").fingerprint,
        "val_images": _scored(trainer, data, "val"),
        "test_images": _scored(trainer, data, "test"),
        "weights": BEST if best.is_file() else "those in memory after the last step",
        "parameters": sum(p.numel() for p in task.trained.parameters()),
        "epochs": epochs,
        "steps": steps,
        "train/seconds": round(seconds, 3),
        **val,
        **test,
    }
    return Trained(folder, results, task, data)


def _scored(trainer: pl.Trainer, data: ColorizationData, split: SplitName) -> int:
    """How many images of a split are scored: all, unless the trainer's limits say otherwise."""
    batches = trainer.num_val_batches if split == "val" else trainer.num_test_batches
    whole = len(data.split(split))
    return min(whole, int(sum(batches)) * data.eval_batch_size * trainer.world_size) or whole


def build_parts(config: DictConfig) -> tuple[ColorizationData, Training]:
    """The data module and the task of a resolved config.

    Raises:
        UserError: a part refuses its arguments, or the parts do not fit together.
    """
    return build(config.data), build_task(config)


def build_task(config: DictConfig) -> Training:
    """The task of a resolved config, with the seeds set first.

    Raises:
        UserError: see `build_parts`.
    """
    pl.seed_everything(config.seed, workers=True, verbose=False)
    parts: dict[str, Any] = {}
    if config.model:
        parts["colorizer"] = colorizer = build_colorizer(config)
        if isinstance(colorizer.network, Baseline):
            name = str(config.model._target_).rpartition(".")[2]
            raise UserError(
                f"{name} is a baseline: it has nothing to train. "
                "colorizer evaluate model=gray_copy,mean_chroma,gray_lookup scores the baselines."
            )
    if config.loss:
        parts["loss"] = build(config.loss)
    task: Training = build(
        config.task,
        optimizer=build(config.optimizer),
        scheduler=build(config.scheduler),
        **parts,
    )
    return task


def _trainer(config: DictConfig, **kwargs: Any) -> pl.Trainer:
    found = accelerator() if config.accelerator == "auto" else config.accelerator
    trainer: pl.Trainer = build(config, accelerator=found, **kwargs)
    return trainer


def _first_process() -> bool:
    """Whether this is the process of a multi-GPU run that writes and prints."""
    return bool(rank_zero_only.rank == 0)  # type: ignore[attr-defined]


def _translated(error: BaseException, folder: Path, writer: RunWriter | None) -> BaseException:
    """The error as the person at the command line should see it."""
    if isinstance(error, SystemExit) and isinstance(error.__context__, KeyboardInterrupt):
        # Lightning answers SIGINT with exit status 1 and switches the signal off.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signals.install()
        return KeyboardInterrupt()
    if isinstance(error, SIGTERMException):
        return KeyboardInterrupt()  # Lightning was quicker than the signal's handler here
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        saved = writer.saved() if writer else []
        return UserError(
            f"the disk is full ({error.strerror}). Saved in {folder}: "
            f"{', '.join(saved) or 'nothing'}; not saved: what was being written, and the results."
        )
    return error


# --- the command ---


def main(arguments: Sequence[str]) -> None:
    """Train what a command line asks for: one run, or with -m one for each combination.

    Raises:
        UserError: before anything is written, whatever can be told by then.
        RunError: a job failed.
        KeyboardInterrupt: SIGINT or SIGTERM.
    """
    quiet()
    signals.install()
    # Hydra's own parser; intermixed, so that overrides may stand on both sides of an option.
    options = get_args_parser().parse_intermixed_args(list(arguments))
    if options.experimental_rerun:
        raise UserError("--experimental-rerun executes a pickle file: give the overrides instead")
    multirun = bool(options.multirun) or "hydra.mode=MULTIRUN" in options.overrides
    flags = [argument for argument in arguments if argument not in options.overrides]
    if multirun and not (options.cfg or options.info):
        sweep(
            options.overrides,
            options.config_dir,
            check=partial(check, multirun=True),
            hand_over=lambda own: _hydra([*own, *flags]),
        )
        return
    jobs = compose_jobs(options.overrides, multirun, options.config_dir)
    folder = Path(jobs[0].config.hydra.run.dir)
    if _one_of_several() and not any(o.startswith("hydra.run.dir=") for o in options.overrides):
        raise UserError(
            "this is one of several processes that share a run (torchrun, SLURM), and each would "
            "make a folder of its own: add hydra.run.dir=FOLDER"
        )
    # The other processes of a multi-GPU run share the directory that the first has checked.
    if _first_process() and not (options.cfg or options.info):
        check_free(folder)
        check(jobs[0])
    # Fixed, since it may hold the time.
    _hydra([*options.overrides, f"hydra.run.dir={quoted(str(folder))}", *flags])


def _one_of_several() -> bool:
    """Whether torchrun or SLURM has started other processes for the same run."""
    by_slurm = os.environ.get("SLURM_JOB_NAME") not in ("bash", "interactive", None)
    tasks = os.environ.get("SLURM_NTASKS", "1") if by_slurm else "1"
    return int(os.environ.get("WORLD_SIZE", 1)) > 1 or int(tasks) > 1


def _hydra(arguments: Sequence[str]) -> None:
    """Hand over to Hydra, which calls `run`."""
    # Lightning starts the other processes of a multi-GPU run as `python -m` this module with
    # sys.argv[1:]; from `colorizer train` it would lose the `train`.
    sys.modules["__main__"].__spec__ = importlib.util.find_spec("colorizer.train")
    sys.argv = [__file__, *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    hydra.main(version_base="1.3", config_path=str(config_folder()), config_name="train")(run)()


def run(config: DictConfig) -> float | None:
    """One job, as Hydra's launchers call it; gives back the monitored metric."""
    job = HydraConfig.get()
    folder = Path(job.runtime.output_dir)
    overrides = [o for o in job.overrides.task if not o.startswith("+callbacks.pruning=")]
    title = config.name or describe(overrides)
    multirun = job.mode == RunMode.MULTIRUN
    alone = in_process(job.launcher)
    if multirun and alone:
        announce(folder, title, Sweep(folder.parent).read()[1])
    elif multirun:
        signals.install()
    try:
        share = max(1, available_cores() // jobs_at_once(job.launcher)) if multirun else None
        groups = {k: str(v) for k, v in job.runtime.choices.items() if not k.startswith("hydra/")}
        trained = train(config, folder, overrides, groups, share, silently=multirun and not alone)
    except (UserError, RunError) as error:
        if multirun and alone:
            complain(f"job {folder.name} ({title}) failed: {error}")
        raise
    except Pruned as pruned:
        if alone:
            say(f"job {folder.name} ({title}) pruned {pruned}")
        return None
    except Exception as error:
        traceback.print_exc()
        raise RunError(f"{title} failed: {type(error).__name__}: {error}") from error
    if not multirun and _first_process():
        say(f"\n{Summary([open_run(folder)]).text()}")
        say(f"\nrun       {_short(folder)}")
        if (folder / "examples" / "test.png").is_file():
            say(f"examples  {_short(folder / 'examples' / 'test.png')}")
    value = trained.results.get(config.monitor)
    return None if value is None else float(value)


def check(job: Job, multirun: bool = False) -> None:
    """Everything that can be told before a run directory is made.

    Args:
        job: what is to be trained.
        multirun: whether it is one of several.

    Raises:
        UserError: what is wrong.
    """
    config = resolved(job.config, ".")
    if "compile" in config.task:
        config.task.compile = False  # minutes, for one batch of zeros
    data, task = build_parts(config)
    trainer = _trainer(
        config.trainer, logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    data.device_batch_size(trainer.world_size)
    task.check(data)
    if multirun and trainer.world_size > 1:
        raise UserError(
            f"trainer.devices={config.trainer.devices}: with -m, each of the processes would start "
            "the whole sweep; start such runs one by one"
        )
    if trainer.precision not in PRECISIONS:
        raise UserError(
            f"trainer.precision={config.trainer.precision}: weights are in single precision; one "
            f"of {', '.join(PRECISIONS)}"
        )
    if isinstance(trainer.accelerator, MPSAccelerator):
        raise UserError("MPS has no double precision, which scores need: trainer.accelerator=cpu")
    if 0 in (trainer.max_epochs, trainer.max_steps):
        raise UserError("trainer.max_epochs, trainer.max_steps: 0 would train nothing")
    tracking.check(config.logger)
    data.prepare_data()
    data.train_dataloader()  # enough images for a batch
    size = data.image_size
    gray, rgb = (torch.zeros(2, channels, size, size) for channels in (1, 3))
    try:
        optimizer = task.make_optimizer(task.parameters())
        task.make_scheduler(optimizer, total_steps=10)
        task.minimised(Batch(gray, rgb, torch.zeros(2, dtype=torch.int64)))
        if isinstance(task, ColorizationTask):
            with torch.inference_mode():
                task.colorizer.eval()(gray)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{type(error).__name__}: {first_line(error)}") from error


def _short(path: Path) -> Path:
    """Relative to the current folder where it is below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    from colorizer.cli import guarded

    sys.exit(guarded(main, sys.argv[1:]))
