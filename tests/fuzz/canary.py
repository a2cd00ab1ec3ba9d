"""A module of a stranger's: using it leaves a file behind."""

from pathlib import Path


class Canary:
    """Writes a file when it is made."""

    def __init__(self, path: str) -> None:
        Path(path).touch()
