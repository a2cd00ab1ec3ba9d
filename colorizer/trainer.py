"""Lightning's Trainer, as a config describes it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf, open_dict
from pytorch_lightning.profilers import AdvancedProfiler, PyTorchProfiler, SimpleProfiler

from colorizer import tracking
from colorizer.callbacks import Checkpoints
from colorizer.config import build
from colorizer.runs import BEST

# Of files in the run directory.
PROFILE = "profile"

PROFILERS = {"simple": SimpleProfiler, "advanced": AdvancedProfiler, "pytorch": PyTorchProfiler}


def build_trainer(config: DictConfig, **kwargs: Any) -> pl.Trainer:
    """Build Lightning's Trainer; `accelerator=auto` is a GPU or the CPU.

    Apple's MPS has no double precision, which scores need. A profiler that is given by its name
    writes into the run directory.
    """
    found = "gpu" if torch.cuda.is_available() else "cpu"
    accelerator = found if config.accelerator == "auto" else config.accelerator
    if isinstance(name := config.get("profiler"), str):
        kwargs["profiler"] = PROFILERS[name](dirpath=config.default_root_dir, filename=PROFILE)
    trainer: pl.Trainer = build(config, accelerator=accelerator, **kwargs)
    return trainer


def training_trainer(
    config: DictConfig,
    written: DictConfig,
    choices: Mapping[str, str],
    folder: Path,
    progress: bool,
    more: Sequence[pl.Callback] = (),
) -> pl.Trainer:
    """Build the Trainer of a training, with its callbacks, and its loggers with the settings.

    Args:
        config: resolved.
        written: as it is recorded.
        choices: the config file chosen in each group.
        folder: the run directory.
        progress: show a progress bar.
        more: callbacks that no config chooses.
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
            *more,
            _checkpoints(config, folder),
        ],
        logger=[build(node) for node in (config.logger or {}).values() if node],
    )
    settings: Any = OmegaConf.to_container(written)
    for logger in trainer.loggers:
        logger.log_hyperparams({**settings, tracking.CHOICES: dict(choices)})
    if trainer.global_rank > 0:
        # Processes build the same network from the same seed, and augment from different ones.
        torch.manual_seed(config.seed + trainer.global_rank)
    return trainer


def no_result(trainer: DictConfig) -> dict[str, str]:
    """The `note` in the results of a training that comes to none; empty for others.

    Args:
        trainer: of the config.
    """
    for switch in ("fast_dev_run", "overfit_batches"):
        if value := trainer.get(switch):
            return {"note": f"no result: trainer.{switch}={value}"}
    return {}


def _checkpoints(config: DictConfig, folder: Path) -> Checkpoints:
    """Build the callback that keeps the weights."""
    place = str((folder / BEST).parent)
    node, monitor, mode = config.callbacks.checkpoint, config.monitor, config.monitor_mode
    made: Checkpoints = build(node, folder=place, monitor=monitor, mode=mode)
    return made
