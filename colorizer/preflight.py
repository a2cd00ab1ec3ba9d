"""Checks a training before its run directory is made."""

import torch
from omegaconf import DictConfig
from pytorch_lightning.accelerators import CPUAccelerator, MPSAccelerator

from colorizer import tracking
from colorizer.colorizer import Colorizer
from colorizer.config import resolved
from colorizer.data import Batch
from colorizer.errors import UserError, first_line
from colorizer.tasks import Task
from colorizer.train import build_parts
from colorizer.trainer import build_trainer


def check(config: DictConfig, multirun: bool = False) -> None:
    """Build all parts of a training, and try one batch of zeros.

    Args:
        config: as composed.
        multirun: whether it is one of several jobs.

    Raises:
        UserError: what is wrong.
    """
    config = resolved(config, ".")
    if "compile" in config.task:
        config.task.compile = False  # compiling takes minutes
    if not (config.callbacks or {}).get("checkpoint"):
        raise UserError("callbacks.checkpoint is missing: its best weights are what is scored")
    if config.start_from is not None and not config.model:
        raise UserError(f"start_from: {config.task._target_} trains no colorizer")
    data, task = build_parts(config)
    world_size = _check_trainer(config.trainer, multirun)
    data.device_batch_size(world_size)
    task.check(data)
    tracking.check(config.logger)
    data.prepare_data()
    data.train_dataloader()  # raises where there are too few images for a batch
    _try(task, data.image_size)


def _check_trainer(config: DictConfig, multirun: bool) -> int:
    """Check the Trainer's settings, and return how many processes it starts."""
    trainer = build_trainer(
        config, logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    if config.precision == "16-mixed" and isinstance(trainer.accelerator, CPUAccelerator):
        raise UserError("trainer.precision=16-mixed: not on a CPU, where bf16-mixed is to be had")
    if multirun and trainer.world_size > 1:
        raise UserError(
            f"trainer.devices={config.devices}: with -m, each of the processes would start "
            "the whole sweep; start such runs one by one"
        )
    if isinstance(trainer.accelerator, MPSAccelerator):
        raise UserError("MPS has no double precision, which scores need: trainer.accelerator=cpu")
    return trainer.world_size


def _try(task: Task, size: int) -> None:
    """Compute the losses and the colours of two images of zeros."""
    gray, rgb = (torch.zeros(2, channels, size, size) for channels in (1, 3))
    try:
        optimizer = task.make_optimizer(task.parameters())
        task.make_scheduler(optimizer, total_steps=10)
        task.minimised(Batch(gray, rgb, torch.zeros(2, dtype=torch.int64)))
        if isinstance(task.trained, Colorizer):
            with torch.inference_mode():
                task.trained.eval()(gray)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{type(error).__name__}: {first_line(error)}") from error
