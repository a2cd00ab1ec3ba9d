"""The types and ranges of a config's values, checked before a run directory exists.

They come from the signatures of the targets, whose annotations may carry ranges (see
`colorizer.ranges`), and from `colorizer.config.schema`.
"""

import functools
import operator
import typing
import unicodedata
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf

from colorizer.annotations import fits, inner, makes, takes_keys, words
from colorizer.config.build import find_target
from colorizer.config.schema import GIVEN, NARROWER, WHY, type_of
from colorizer.config.signatures import hints, required
from colorizer.errors import UserError, shown

# Characters of a text.
LONGEST = 1000

# Below a target, what Hydra reads.
HYDRA_HINTS: dict[str, Any] = {
    "_target_": str,
    "_partial_": bool,
    "_recursive_": bool,
    "_convert_": Literal["none", "partial", "object", "all"],
    "_args_": list,
}


def check_bounds(config: DictConfig) -> None:
    """Check the types and the ranges of a resolved config's values.

    Raises:
        UserError: a value that cannot be, with its key.
    """
    content = _content(config)
    for key, value in content.items():
        _check(str(key), value, type_of(str(key)))
    _check_together(content)


def check_part(node: DictConfig, path: str) -> None:
    """Check a part alone, such as the `model` of a run's config.

    Raises:
        UserError: see `check_bounds`.
    """
    _check(path, _content(node), type_of(path))


def _content(config: DictConfig) -> dict[str, Any]:
    """Plain containers, which are read many times as fast."""
    content = OmegaConf.to_container(config)
    assert isinstance(content, dict)
    return typing.cast(dict[str, Any], content)


def _check(path: str, value: Any, annotation: Any) -> None:
    narrower = _narrower(path)
    annotation = annotation if narrower is None else narrower
    if isinstance(value, dict) and "_target_" in value:
        _check_target(path, value, annotation)
        return
    if not (takes_keys(annotation) if isinstance(value, dict) else fits(value, annotation)):
        why = f" ({WHY[path]})" if path in WHY else ""
        raise UserError(f"{path}={shown(value)}: {words(annotation)}{why}")
    if isinstance(value, str) and not _is_usual(value):
        raise UserError(
            f"{path}={shown(value)}: at most {LONGEST} characters, none of them for control"
        )
    if isinstance(value, dict):
        for key, child in value.items():
            _check(f"{path}.{key}", child, inner(annotation))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _check(f"{path}.{index}", child, inner(annotation))


def _is_usual(text: str) -> bool:
    """Whether a text can be a name or a path: short, without control or half characters."""
    kinds = {unicodedata.category(character) for character in text[:LONGEST]}
    return len(text) <= LONGEST and not kinds & {"Cc", "Cs"}


@functools.cache
def _narrower(path: str) -> Any:
    found = next((hint for key, hint in NARROWER.items() if fnmatchcase(path, key)), None)
    if isinstance(found, tuple):
        return functools.reduce(operator.or_, (_imported(hint, path) for hint in found))
    return _imported(found, path)


def _imported(hint: Any, path: str) -> Any:
    return find_target(hint, path) if isinstance(hint, str) else hint


def _check_target(path: str, node: Mapping[str, Any], annotation: Any) -> None:
    """Check what makes an object: that it is of the right class, and its arguments."""
    for key, hint in HYDRA_HINTS.items():
        if key in node and not fits(node[key], hint):
            raise UserError(f"{path}.{key}={shown(node[key])}: {words(hint)}")
    target = node["_target_"]
    partial = node.get("_partial_", False)
    if not makes(find_target(target, path), partial, annotation):
        later = " with _partial_: true" if partial else ""
        raise UserError(f"{path}._target_={target}{later}: {words(annotation)}")
    given = GIVEN.get(path, ())
    known = hints(target, path)
    for key, value in node.items():
        if key not in HYDRA_HINTS:
            _check(f"{path}.{key}", value, known.get(key, Any))
    if not partial or path in GIVEN:
        for name in required(target, path) if "_args_" not in node else ():
            if name not in node and name not in given:
                raise UserError(f"{path}.{name} is missing: {target} needs it")


def _check_together(content: Mapping[str, Any]) -> None:
    """Check values of the trainer that depend on each other."""
    trainer = content["trainer"]
    if trainer.get("default_root_dir", content["run_dir"]) != content["run_dir"]:
        raise UserError("trainer.default_root_dir: hydra.run.dir says where a run is")
    longest = trainer.get("max_time")
    if longest is not None and not seconds(longest) > 0:
        raise UserError(f"trainer.max_time={shown(longest)}: DD:HH:MM:SS, more than nothing")
    if trainer.get("limit_test_batches") is not None and content["representation"]:
        raise UserError(
            f"trainer.limit_test_batches={trainer['limit_test_batches']}: the test split is scored "
            "whole, or its numbers could not be compared; test=false leaves it out"
        )
    every, epochs = trainer.get("check_val_every_n_epoch") or 1, trainer.get("max_epochs")
    if isinstance(epochs, int) and 0 < epochs < every:
        raise UserError(
            f"trainer.check_val_every_n_epoch={every}: with trainer.max_epochs={epochs} no "
            "validation would choose the weights"
        )


def seconds(length: Any) -> float:
    """The length of `DD:HH:MM:SS` or `{hours: 1}`, 0 where it is none."""
    units = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
    try:
        if isinstance(length, dict):
            return sum(units[str(key)] * float(number) for key, number in length.items())
        days, hours, minutes, rest = (int(part) for part in str(length).split(":"))
    except (KeyError, TypeError, ValueError):
        return 0
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest
