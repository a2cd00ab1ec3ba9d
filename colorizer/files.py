"""Files that are written completely or not at all, and readers that no file can overwhelm."""

import contextlib
import json
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from colorizer.errors import UserError, first_line

# In bytes; the largest of ours have a fiftieth of it.
MOST_JSON, MOST_YAML, MOST_ARRAYS = 50_000_000, 1_000_000, 200_000_000
# Levels of a YAML file.
DEEPEST = 30


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
    part = path.with_name(f"{path.name}.{os.getpid()}.partial")
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
        return json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file: dicts, lists and scalars, interpolations as they are written.

    Raises:
        UserError: it cannot be read, with the line and the column; or it is larger or deeper than
            any of ours, or repeats parts of itself (aliases), which can stand for gigabytes.
    """
    try:
        _check_size(path, MOST_YAML)
        text = path.read_text()
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
                what = f"more than {DEEPEST} levels" if depth > DEEPEST else "an alias"
                raise UserError(f"{path}{_place(event.start_mark)}: {what}")
        return OmegaConf.to_container(OmegaConf.create(text))
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark)
        raise UserError(f"{path}{place}: {error.problem or error.context}") from error
    except (OSError, ValueError, RecursionError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise UserError(f"{path} cannot be read: {first_line(error)}") from error


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
