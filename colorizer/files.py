"""Files: JSON, and files that are written whole or not at all."""

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from colorizer.errors import UserError


def json_ready(values: Mapping[str, Any]) -> dict[str, Any]:
    """With None for what JSON has no number for, such as an exact copy's infinite PSNR."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in values.items()
    }


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole or not at all."""
    write_whole(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with whole(path) as part:
        part.write_text(text)


@contextlib.contextmanager
def whole(path: Path, suffix: str = ".partial") -> Iterator[Path]:
    """A place to write to that becomes the file when all went well."""
    part = path.with_name(f"{path.name}{suffix}")
    try:
        yield part
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


atomic_write = whole
