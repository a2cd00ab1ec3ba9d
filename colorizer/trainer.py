"""Lightning's Trainer, as a config describes it."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf, open_dict

from colorizer.callbacks import Checkpoints
from colorizer.config import build
from colorizer.runs import BEST


def build_trainer(config: DictConfig, **kwargs: Any) -> pl.Trainer:
    """Build Lightning's Trainer; `accelerator=auto` is a GPU or the CPU.

    Apple's MPS has no double precision, which scores need.
    """
    found = "gpu" if torch.cuda.is_available() else "cpu"
    accelerator = found if config.accelerator == "auto" else config.accelerator
    trainer: pl.Trainer = build(config, accelerator=accelerator, **kwargs)
    return trainer


def training_trainer(
    config: DictConfig, written: DictConfig, folder: Path, progress: bool
) -> pl.Trainer:
    """Build the Trainer of a training, with its callbacks, and its loggers with the settings.

    Args:
        config: resolved.
        written: as it is recorded.
        folder: the run directory.
        progress: show a progress bar.
    """
    callbacks = {name: node for name, node in config.callbacks.items() if name != "checkpoint"}
    if not progress:
        callbacks.pop("progress", None)
        with open_dict(config):
            config.trainer.enable_progress_bar = False
    trainer = build_trainer(
        config.trainer,
        callbacks=[
            *(build(node) for node in callbacks.values() if node),
            _checkpoints(config, folder),
        ],
        logger=[build(node) for node in (config.logger or {}).values() if node],
    )
    for logger in trainer.loggers:
        logger.log_hyperparams(OmegaConf.to_container(written))  # type: ignore[arg-type]
    if trainer.global_rank > 0:
        # Processes build the same network from the same seed, and augment from different ones.
        torch.manual_seed(config.seed + trainer.global_rank)
    return trainer


def _checkpoints(config: DictConfig, folder: Path) -> Checkpoints:
    """Build the callback that keeps the weights."""
    place = str((folder / BEST).parent)
    node, monitor, mode = config.callbacks.checkpoint, config.monitor, config.monitor_mode
    made: Checkpoints = build(node, folder=place, monitor=monitor, mode=mode)
    return made
