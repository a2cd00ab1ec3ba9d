"""Fingerprints of source files."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path


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
