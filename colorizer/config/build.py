"""Instantiating what a config describes."""

import re
from collections.abc import Iterator
from typing import Any

from hydra._internal.utils import _locate
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from colorizer.errors import UserError, first_line, shown


def build(node: DictConfig, *args: Any, **kwargs: Any) -> Any:
    """Instantiate a `_target_` with the arguments that only the code knows.

    Raises:
        UserError: the target refuses its arguments.
    """
    try:
        return instantiate(node, *args, **kwargs)
    except InstantiationException as error:
        cause = error.__cause__ or error
        if isinstance(cause, UserError | OSError | MemoryError):
            raise cause from error
        named = re.search(r"full_key: (\S+)", str(error))
        key = named[1] if named else str(node._get_full_key("") or node._target_)
        message = shown(first_line(cause), most=300)
        # Most of ours begin with the key, as it is in the shipped configs.
        message = message if message.startswith(f"{key}.") else f"{key}: {message}"
        raise UserError(message) from error


def targets(node: Any) -> Iterator[str]:
    """The `_target_`s of a config, those below others included."""
    if isinstance(node, DictConfig):
        if "_target_" in node:
            yield str(node._target_)
        for key in node:
            yield from targets(node[key])
    elif OmegaConf.is_list(node):
        for item in node:
            yield from targets(item)


def find_target(target: str, path: str) -> Any:
    """Import a `_target_`; raises UserError where there is none."""
    if not re.fullmatch(r"\w+(\.\w+)*", target):
        raise UserError(f"{path}._target_={shown(target)}: a dotted name is asked for")
    try:
        return _locate(target)  # get_object of Hydra's would log the error, too
    except Exception as error:
        message = shown(first_line(error), most=200)
        raise UserError(f"{path}: there is no {shown(target)} ({message})") from error
