"""JSON files, and files that are written completely or not at all."""

import contextlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from colorizer.errors import UserError


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
        UserError: it cannot be read.
    """
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
