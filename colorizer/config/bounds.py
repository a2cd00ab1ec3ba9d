"""The types and ranges of what a config says, checked before a run directory exists.

Types come from the signatures of the targets, ranges from the one table here: they hold for
Lightning's, torch's and the project's own classes alike.
"""

import inspect
import math
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from colorizer.config.build import find_target
from colorizer.errors import UserError


class Range(NamedTuple):
    """Numbers from `low` to `high`; `open` leaves out the ends."""

    low: float = -math.inf
    high: float = math.inf
    open: bool = False  # as of intervals

    def __contains__(self, value: float) -> bool:
        inside = self.low < value < self.high if self.open else self.low <= value <= self.high
        return math.isfinite(value) and inside

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"{'above' if self.open else 'from'} {self.low:g}"
        if self.open:
            return f"between {self.low:g} and {self.high:g}"
        return f"from {self.low:g} to {self.high:g}"


POSITIVE, COUNT, NOT_NEGATIVE = Range(0, open=True), Range(1), Range(0)

RANGES = {
    "optimizer.lr": POSITIVE,
    "optimizer.weight_decay": NOT_NEGATIVE,
    "optimizer.momentum": Range(0, 1),
    "optimizer.eps": POSITIVE,
    "scheduler.max_lr": POSITIVE,
    "scheduler.pct_start": Range(0, 1),
    "data.batch_size": COUNT,
    "data.eval_batch_size": COUNT,
    "data.num_workers": NOT_NEGATIVE,
    "callbacks.checkpoint.every_minutes": NOT_NEGATIVE,
    "callbacks.examples.images": COUNT,
    "callbacks.examples.min_seconds": NOT_NEGATIVE,
    "callbacks.ema.decay": Range(0, 1, open=True),
    "callbacks.progress.refresh_rate": NOT_NEGATIVE,
    "trainer.max_epochs": Range(-1),
    "trainer.max_steps": Range(-1),
    "trainer.min_epochs": COUNT,
    "trainer.min_steps": COUNT,
    "trainer.gradient_clip_val": NOT_NEGATIVE,
    "trainer.log_every_n_steps": COUNT,
    "trainer.accumulate_grad_batches": COUNT,
    "trainer.num_nodes": COUNT,
    "trainer.num_sanity_val_steps": Range(-1),
    "trainer.check_val_every_n_epoch": COUNT,
    "trainer.limit_train_batches": POSITIVE,
    "trainer.limit_val_batches": POSITIVE,
    "trainer.val_check_interval": POSITIVE,
}

# Keys of the trainer whose other values are refused: with them there is no result, or it is not what it says.
ONLY: dict[str, tuple[Any, str]] = {
    "fast_dev_run": (False, "+trainer.limit_train_batches=1 trains a little"),
    "overfit_batches": (0.0, "the validation images would be training images"),
    "enable_checkpointing": (True, "the best weights are what is scored"),
    "barebones": (False, "nothing would be recorded"),
}


def check_bounds(config: DictConfig) -> None:
    """Check the types and the ranges of a resolved config's values.

    Raises:
        UserError: a value that cannot be, with its key.
    """
    for path, value, annotation in _values(config):
        _check_type(path, value, annotation)
        number = type(value) in (int, float)
        if path in RANGES and value is not None and not (number and value in RANGES[path]):
            raise UserError(f"{path}={value}: a number {RANGES[path]}")
    _check_trainer(config)


def _check_trainer(config: DictConfig) -> None:
    trainer = config.trainer
    for key, (only, why) in ONLY.items():
        if trainer.get(key, only) != only:
            raise UserError(f"trainer.{key}={trainer[key]}: {why}")
    if trainer.get("default_root_dir", config.run_dir) != config.run_dir:
        raise UserError("trainer.default_root_dir: hydra.run.dir says where a run is")
    if trainer.get("max_time") is not None and not _seconds(trainer.max_time) > 0:
        raise UserError(f"trainer.max_time={trainer.max_time}: nothing would be trained")
    every, epochs = trainer.get("check_val_every_n_epoch") or 1, trainer.get("max_epochs")
    if isinstance(epochs, int) and 0 < epochs < every:
        raise UserError(
            f"trainer.check_val_every_n_epoch={every}: with trainer.max_epochs={epochs} no "
            "validation would choose the weights"
        )


def _seconds(value: Any) -> float:
    """The length of `DD:HH:MM:SS` or `{hours: 1}`, 0 where it is none."""
    units = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
    try:
        if isinstance(value, DictConfig):
            return sum(units[str(key)] * float(number) for key, number in value.items())
        days, hours, minutes, seconds = (float(part) for part in str(value).split(":"))
    except (KeyError, TypeError, ValueError):
        return 0
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _values(node: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The plain values below targets: path, value and annotation."""
    hints = _hints(str(node._target_)) if "_target_" in node else {}
    for key in map(str, node):
        child = node._get_node(key)
        below = f"{path}.{key}" if path else key
        if isinstance(child, DictConfig):
            if not child._is_none():
                yield from _values(child, below)
        elif not OmegaConf.is_list(child) and key[0] != "_":
            yield below, node[key], hints.get(key, Any)


@cache
def _hints(target: str) -> dict[str, Any]:
    """The annotations of a target's parameters; none where they cannot be told."""
    found = find_target(target, target)
    function = found.__init__ if inspect.isclass(found) else found
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):
        return {}


def _check_type(path: str, value: Any, annotation: Any) -> None:
    """Raise UserError if a value is of none of the types of an annotation."""
    options = _options(annotation)
    if options is None or any(_fits(value, option) for option in options):
        return
    wanted = " or ".join(dict.fromkeys(_words(option) for option in options))
    raise UserError(f"{path}={value}: {wanted}")


def _options(annotation: Any) -> list[Any] | None:
    """The plain types of an annotation; None where there are others, too."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = [_options(part) for part in typing.get_args(annotation)]
        return None if None in parts else [o for part in parts if part for o in part]
    if annotation in (bool, int, float, str, type(None)):
        return [annotation]
    return [annotation] if typing.get_origin(annotation) is typing.Literal else None


def _fits(value: Any, option: Any) -> bool:
    if typing.get_origin(option) is typing.Literal:
        return value in typing.get_args(option)
    if option is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is option


def _words(option: Any) -> str:
    if typing.get_origin(option) is typing.Literal:
        return f"one of {', '.join(map(str, typing.get_args(option)))}"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return words.get(option, "null")
