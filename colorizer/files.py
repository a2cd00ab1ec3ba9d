"""Files that are written completely or not at all, and readers that no file can overwhelm."""

import contextlib
import glob
import json
import math
import os
import socket
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf._utils import get_yaml_loader
from omegaconf.errors import OmegaConfBaseException

from colorizer.annotations import mismatch
from colorizer.errors import UserError, first_line, in_a_line, shown
from colorizer.processes import process_lives

# In bytes; the largest of ours have a fiftieth of it.
MOST_JSON, MOST_YAML, MOST_ARRAYS = 20_000_000, 200_000, 200_000_000
# Levels of a file.
DEEPEST = 30
# Ten times as fast, where PyYAML was built with it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def json_ready(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with None for what is no JSON number, such as an exact copy's infinite PSNR."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in values.items()
    }


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file; see `atomic_write`."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file; see `atomic_write`."""
    with atomic_write(path) as part:
        part.write_text(text)


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which replaces it when the block ends without an error."""
    host = socket.gethostname()
    part = path.with_name(f"{path.name}.{host}.{os.getpid()}.partial")
    # What processes of this machine left that were killed as they wrote.
    for left in path.parent.glob(f"{glob.escape(path.name)}.{glob.escape(host)}.*.partial"):
        number = left.name.split(".")[-2]
        if number.isdecimal() and not process_lives(int(number)):
            left.unlink(missing_ok=True)
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        UserError: it cannot be read, or is larger or deeper than any of ours.
    """
    try:
        _check_size(path, MOST_JSON)
        content = json.loads(path.read_text(), parse_constant=_no_number)
        if is_deep(content):
            raise ValueError(f"more than {DEEPEST} levels")
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {first_line(error)}") from error
    return content


def read_object(path: Path, schema: Any = None) -> dict[str, Any]:
    """The content of a JSON file that holds an object.

    Args:
        path: the file.
        schema: a `TypedDict` of what it has to hold.

    Raises:
        UserError: see `read_json`; or it holds something else.
    """
    content = read_json(path)
    wrong = "no object" if not isinstance(content, dict) else None
    wrong = wrong or (mismatch(content, schema) if schema else None)
    if wrong:
        raise UserError(f"{path} cannot be read: {wrong}")
    found: dict[str, Any] = content
    return found


def is_deep(content: Any) -> bool:
    """True if dicts and lists in each other have more levels than any of ours."""
    level = [content]
    for _ in range(DEEPEST):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON's")


def read_yaml(path: Path) -> Any:
    """The content of a YAML file: dicts, lists and scalars, interpolations as they are written.

    Raises:
        UserError: it cannot be read, with the line and the column; or it is larger or deeper than
            any of ours, or repeats parts of itself (aliases), which can stand for gigabytes.
    """
    return OmegaConf.to_container(read_config(path))


def read_config(path: Path) -> DictConfig | ListConfig:
    """The content of a YAML file as OmegaConf understands it; see `read_yaml`."""
    with reading_yaml(path) as text:
        content = yaml.load(text, _config_loader())
        if isinstance(content, str):
            content = {content: None}
        return OmegaConf.create({} if content is None else content)


@cache
def _config_loader() -> Any:
    """OmegaConf's loader of YAML, with libyaml's parser where PyYAML was built with it."""
    loader: Any = get_yaml_loader()
    if not yaml.__with_libyaml__:
        return loader
    parser: Any = vars(yaml.cyaml)["CParser"]

    class Loader(parser, loader):
        def __init__(self, stream: str) -> None:
            parser.__init__(self, stream)
            yaml.constructor.SafeConstructor.__init__(self)
            yaml.resolver.Resolver.__init__(self)

    return Loader


@contextlib.contextmanager
def reading_yaml(path: Path) -> Iterator[str]:
    """The text of a YAML file, whose errors in the block become a `UserError`; see `read_yaml`."""
    try:
        _check_size(path, MOST_YAML)
        text = path.read_text(encoding="utf-8")
        _check_events(path, text)
        yield text
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        raise UserError(f"{path}{place}: {error.problem or error.context}") from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        column = error.start - (before.rfind(b"\n") + 1)
        place = f":{before.count(10) + 1}:{column + 1}"
        raise UserError(f"{path}{place}: no UTF-8") from error
    except (OSError, ValueError, RecursionError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise UserError(f"{path} cannot be read: {in_a_line(error)}") from error


def _check_events(path: Path, text: str) -> None:
    """Refuse what none of our YAML files has; raises UserError, or yaml.YAMLError."""
    depth, value = 0, None
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
            what = f"more than {DEEPEST} levels" if depth > DEEPEST else "an alias"
            raise UserError(f"{path}{_place(event.start_mark)}: {what}")
        if isinstance(event, yaml.ScalarEvent) and not depth:
            value = event
    if value and value.value not in ("", "~", "null"):
        what = f"{shown(value.value)}, where there should be keys with values"
        raise UserError(f"{path}{_place(value.start_mark)}: {what}")


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an .npz file; executes nothing in it.

    Raises:
        ValueError: it unpacks to more than any of ours, or holds objects.
        OSError, zipfile.BadZipFile: it cannot be read.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_ARRAYS:
            raise ValueError(f"{path} unpacks to more than {MOST_ARRAYS} bytes")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _place(mark: Any) -> str:
    """Line and column, as editors count them."""
    return f":{mark.line + 1}:{mark.column + 1}" if mark else ""


def _check_size(path: Path, most: int) -> None:
    if path.stat().st_size > most:
        raise ValueError(f"it has more than {most} bytes")
