"""The environment of a run: command, versions and machine."""

import importlib.metadata
import os
import platform
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from colorizer.runs.identity import weights_content

# What of a checkout can change a run.
SOURCES = ("colorizer", "conf", "hydra_plugins", "pyproject.toml")


def environment(
    config: DictConfig, overrides: Sequence[str], choices: Mapping[str, str]
) -> dict[str, Any]:
    """The command, the versions and the machine of this process."""
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "command": shlex.join(["colorizer", "train", *overrides]),
        "overrides": list(overrides),
        "choices": dict(choices),
        "seed": config.seed,
        **({"weights": weights} if (weights := weights_content(config)) else {}),
        "threads": torch.get_num_threads(),
        "git": git_state(),
        "colorizer": importlib.metadata.version("colorizer"),
        "packages": dict(_versions()),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": {"count": os.cpu_count(), "architecture": platform.machine()},
        "gpus": gpus,
    }


@cache
def _versions() -> dict[str, str]:
    """Versions of the packages that this one requires, without its extras."""
    required = importlib.metadata.requires("colorizer") or []
    names = [re.split(r"[^\w.-]", line)[0] for line in required if "extra ==" not in line]
    return {name: importlib.metadata.version(name) for name in names}


@cache
def git_state() -> dict[str, Any] | None:
    """Commit of the checkout that the package is run from; None for an installed package.

    `dirty` says whether `SOURCES` differ from it, as it was when first asked for: a process goes on
    with the code that it has read.
    """
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {
            "commit": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", *SOURCES)),
        }
    except (OSError, subprocess.CalledProcessError):
        return None
