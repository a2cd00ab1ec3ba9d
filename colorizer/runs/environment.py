"""The environment of a run: command, versions and machine."""

import importlib.metadata
import os
import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from colorizer.runs.identity import weights_content
from colorizer.runs.sources import uncommitted


def environment(
    config: DictConfig, overrides: Sequence[str], choices: Mapping[str, str]
) -> dict[str, Any]:
    """The command, the versions and the machine of this process."""
    return {
        "command": shlex.join(["colorizer", "train", *overrides]),
        "overrides": list(overrides),
        "choices": dict(choices),
        "seed": config.seed,
        **({"weights": weights} if (weights := weights_content(config)) else {}),
        "threads": torch.get_num_threads(),
        "git": _git_state(),
        "colorizer": importlib.metadata.version("colorizer"),
        "packages": dict(_versions()),
        "python": platform.python_version(),
        **machine(),
    }


def machine() -> dict[str, Any]:
    """The system, the processor and the GPUs that PyTorch sees."""
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {"platform": platform.platform(), "cpu": _processor(), "gpus": gpus}


@cache
def _versions() -> dict[str, str]:
    """Versions of the packages that this one requires, without its extras."""
    required = importlib.metadata.requires("colorizer") or []
    names = [re.split(r"[^\w.-]", line)[0] for line in required if "extra ==" not in line]
    return {name: importlib.metadata.version(name) for name in names}


def _git_state() -> dict[str, Any] | None:
    """The commit, whether `SOURCES` differ from it, and what of that was not kept."""
    state = uncommitted()
    if state is None:
        return None
    left_out = {"left_out": list(state.left_out)} if state.left_out else {}
    return {"commit": state.commit, "dirty": state.dirty, **left_out}


@cache
def _processor() -> dict[str, Any]:
    """The processor, and the instructions that PyTorch uses, on which the last bits depend."""
    try:
        model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        model = None
    return {
        "count": os.cpu_count(),
        "architecture": platform.machine(),
        "model": model[1] if model else platform.processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }
