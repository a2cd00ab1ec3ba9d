"""What is computed once and kept in the user's cache folder."""

import os
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import torch

from colorizer.fingerprint import files_fingerprint

PACKAGE = Path(__file__).parent

# What numbers depend on, beside the project's own code.
LIBRARIES = ("torch", "kornia", "torchmetrics", "numpy")


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/colorizer`, or `~/.cache/colorizer`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "colorizer"


def code_of(names: Iterable[str], start: str = "") -> str:
    """Fingerprint of source files, the libraries they use, and the kind of device.

    Args:
        names: patterns below the package.
        start: what else goes in.
    """
    used = [start, "cuda" if torch.cuda.is_available() else "cpu", *map(version, LIBRARIES)]
    files = (file for name in names for file in PACKAGE.glob(name))
    return files_fingerprint(files, " ".join(used))
