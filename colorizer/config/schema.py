"""What a config is made of: the type of each part, and ranges of classes that are not ours.

The project's own classes have theirs in their signatures. What comes with Lightning, which takes
seconds to import, is named by strings.
"""

import typing
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from colorizer.ranges import Count, NotNegative, Positive, Range, Seed, Share
from colorizer.representations import Representation

if TYPE_CHECKING:
    import pytorch_lightning as pl
    from pytorch_lightning.loggers import Logger

    from colorizer.data import ColorizationData


class Config:
    """The top level of a composed config."""

    seed: Seed
    threads: Annotated[int, Range(1, 1024)] | None
    monitor: str
    monitor_mode: Literal["min", "max"] | None
    test: bool
    start_from: str | None
    name: str | None
    study: str | None
    group: str | None
    tags: Sequence[str]
    retry_failed: bool
    resume: Literal["auto", "never", "anyway"]
    run_dir: str

    data: "ColorizationData"
    representation: Representation | None
    model: nn.Module | None
    loss: nn.Module | None
    optimizer: Callable[..., Optimizer]
    scheduler: Callable[..., LRScheduler]
    task: "pl.LightningModule"
    trainer: "pl.Trainer"
    callbacks: "Mapping[str, pl.Callback | None] | None"
    logger: "Mapping[str, Logger | None] | None"


def type_of(key: str) -> Any:
    """The type of a key of the top level; any where there is no such key."""
    found = Config.__annotations__.get(key, Any)
    if not isinstance(found, str):
        return found
    import pytorch_lightning as pl
    from pytorch_lightning.loggers import Logger

    from colorizer.data import ColorizationData

    names = {"pl": pl, "Logger": Logger, "ColorizationData": ColorizationData}
    return typing.get_type_hints(Config, localns=names, include_extras=True)[key]


# Arguments that the program gives: a config that has them too would be ignored in silence.
GIVEN = {
    "model": ("out_channels",),
    "task": ("colorizer", "optimizer", "scheduler", "loss"),
    "callbacks.checkpoint": ("folder", "monitor", "mode"),
    "trainer": ("callbacks", "logger"),
    "optimizer": ("params",),
    "scheduler": ("optimizer", "total_steps"),
}

Batches = Count | Annotated[float, Range(0, 1, above=True)]
Decay = Annotated[float, Range(0, 1, below=True)]
Unlimited = Literal[-1]

# Narrower than the signatures of torch and Lightning say, by the path of a key; a class may be
# its name, and several types are a tuple.
NARROWER: dict[str, Any] = {
    "callbacks.checkpoint": "colorizer.callbacks.Checkpoints",  # what it keeps is what is scored
    "optimizer.lr": Positive,
    "optimizer.weight_decay": NotNegative,
    "optimizer.momentum": Decay,
    "optimizer.eps": Positive,
    "optimizer.betas": tuple[Decay, Decay],
    "optimizer.adjust_lr_fn": Literal["original", "match_rms_adamw", "rms_to_rms"] | None,
    "scheduler.max_lr": Positive,
    "scheduler.pct_start": Share,
    "trainer.max_epochs": Count | Unlimited | None,
    "trainer.max_steps": Count | Unlimited,
    "trainer.min_epochs": Count | None,
    "trainer.min_steps": Count | None,
    "trainer.num_nodes": Annotated[int, Range(1, 10_000)],
    "trainer.precision": Literal["32-true", "16-mixed", "bf16-mixed"],
    "trainer.gradient_clip_val": NotNegative | None,
    "trainer.log_every_n_steps": Count | None,
    "trainer.accumulate_grad_batches": Count,
    "trainer.num_sanity_val_steps": Annotated[int, Range(-1, 2**31 - 1)] | None,
    "trainer.check_val_every_n_epoch": Count | None,
    "trainer.val_check_interval": Batches | None,
    "trainer.limit_train_batches": Batches | None,
    "trainer.limit_val_batches": Batches | None,
    "trainer.limit_test_batches": Batches | None,
    "trainer.default_root_dir": str,
    "trainer.profiler": (
        Literal["simple", "advanced", "pytorch"] | None,
        "pytorch_lightning.profilers.Profiler",
    ),
    "trainer.strategy": (
        Literal["auto", "ddp", "ddp_find_unused_parameters_true"],
        "pytorch_lightning.strategies.DDPStrategy",
    ),
    "trainer.gradient_clip_algorithm": Literal["norm", "value"] | None,
    "trainer.limit_predict_batches": Literal[None],
    "trainer.fast_dev_run": bool | Count,
    "trainer.overfit_batches": Batches | Literal[0],
    "trainer.enable_checkpointing": Literal[True] | None,
    "trainer.barebones": Literal[False],
    "data.augmentations.*.p": Share,
    "data.augmentations.*.degrees": Annotated[float, Range(0, 360)] | Sequence[float],
    "data.augmentations.*.padding_mode": Literal["zeros", "border", "reflection", "fill"],
    "logger.*.flush_logs_every_n_steps": Count,
    "logger.*.settings": Mapping[str, Any],
    "logger.*.save_dir": str,
    "logger.*.mode": Literal["online", "offline", "disabled", "shared"] | None,
    "logger.*.tags": Sequence[str] | None,
    "logger.*.name": str | None,
    "logger.*.group": str | None,
    "logger.*.project": str | None,
    "logger.*.job_type": str | None,
}

# Why some values that Lightning takes are refused.
WHY = {
    "trainer.precision": "the others keep the weights themselves in other precisions, and a run "
    "has to score the same when it is evaluated again",
    "trainer.strategy": "the others share out weights that fit any device here, or keep what was "
    "trained in the processes that they start",
    "trainer.profiler": "xla is for TPUs",
    "trainer.limit_predict_batches": "nothing predicts in a training",
    "trainer.enable_checkpointing": "best.ckpt is what is scored",
    "trainer.barebones": "it would leave neither weights nor numbers",
}
