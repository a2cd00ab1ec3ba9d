"""What makes two jobs the same."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer.config import resolved
from colorizer.data.base import DATA_ROOT

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


def recorded(config: DictConfig) -> DictConfig:
    """The config as it is written down: resolved, but for what belongs to this machine.

    `run_dir` becomes `.`, so that a run can be moved; `data.root` becomes where any machine looks,
    so that it can be scored elsewhere. What ties a trial to its search is left out.
    """
    content: Any = OmegaConf.to_container(resolved(config, "."))
    (content["callbacks"] or {}).pop("pruning", None)
    if "root" in content["data"]:
        content["data"]["root"] = DATA_ROOT
    return OmegaConf.create(content)


def flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested dicts by dotted path."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from flat(value, f"{prefix}{key}.")
    else:
        yield prefix.rstrip("."), node
