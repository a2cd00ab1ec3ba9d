"""The user's cache folder, and what its entries are known by."""

import os
from importlib.metadata import version
from pathlib import Path

import torch

from colorizer.fingerprint import code_fingerprint, files_fingerprint

# What numbers depend on, beside the code that is followed.
LIBRARIES = ("torch", "kornia", "torchmetrics", "numpy")


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/colorizer`, or `~/.cache/colorizer`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "colorizer"


def code_of(*roots: str, start: str = "") -> str:
    """Fingerprint of code, of the libraries that it uses, and of the kind of device.

    Args:
        *roots: see `colorizer.fingerprint.modules`.
        start: what else goes in.

    Raises:
        ModuleNotFoundError: a module that is imported has no file.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    used = [start, code_fingerprint(*roots), device, *map(version, LIBRARIES)]
    return files_fingerprint([], " ".join(used))
