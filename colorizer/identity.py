"""What makes two jobs the same: their settings, and the code that they ran with."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

# Keys that say nothing of what is computed.
INCIDENTAL = ("name", "group", "tags", "study", "retry_failed", "run_dir", "logger")


def settings_fingerprint(written: DictConfig) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a recorded config.

    Args:
        written: see `colorizer.runs.recorded`.
    """
    content: Any = OmegaConf.to_container(written)
    content = {key: value for key, value in content.items() if key not in INCIDENTAL}
    if isinstance(content.get("callbacks"), dict):
        content["callbacks"].pop("progress", None)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


@cache
def code_fingerprint() -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the package's source files."""
    return files_fingerprint(Path(__file__).parent.rglob("*.py"))


def files_fingerprint(files: Iterable[Path], start: str = "") -> str:
    """The first 16 hexadecimal digits of the SHA-256 of files, in the order of their paths.

    Args:
        files: what is read.
        start: what else goes in.
    """
    digest = hashlib.sha256(start.encode())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested dicts by dotted path."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from flat(value, f"{prefix}{key}.")
    else:
        yield prefix.rstrip("."), node
