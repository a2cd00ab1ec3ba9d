"""What is computed once and kept in the user's cache folder."""

import os
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


def code_of(*roots: str, start: str = "") -> str:
    """Fingerprint of source files, the libraries they use, and the kind of device."""
    used = [start, "cuda" if torch.cuda.is_available() else "cpu", *map(version, LIBRARIES)]
    return files_fingerprint(PACKAGE.rglob("*.py"), " ".join(used))
