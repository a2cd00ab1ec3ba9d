"""Names of runs in a table."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

# What says nothing of how a run was trained.
UNNAMED = ("hydra", "logger", "callbacks", "tags", "group", "name", "study", "retry_failed")


class Named(Protocol):
    """A run, or anything else with a name and a folder."""

    @property
    def name(self) -> str:
        """Settings, separated by commas."""

    @property
    def folder(self) -> Path:
        """Tells it from another of the same name."""


def unique_names(runs: Sequence[Named], taken: Iterable[str] = ()) -> list[str]:
    """Names for a table, without the settings that all runs share; equal ones get their folder.

    Args:
        runs: of one table.
        taken: names of its other rows.
    """
    parts = [run.name.split(", ") for run in runs]
    shared = set.intersection(*(set(part) for part in parts)) if len(runs) > 1 else set()
    names = [
        ", ".join(part for part in own if part not in shared) or run.name
        for run, own in zip(runs, parts, strict=True)
    ]
    places = distinct_suffixes([run.folder for run in runs])
    twice = {name for name in names if names.count(name) > 1} | set(taken)
    return [
        f"{name} ({place})" if name in twice else name
        for name, place in zip(names, places, strict=True)
    ]


def distinct_suffixes(folders: Sequence[Path]) -> list[str]:
    """The shortest endings of some different paths that tell them apart: `a/0` and `b/0`."""
    parts = [folder.absolute().parts for folder in folders]
    length = 1
    while len({part[-length:] for part in parts}) < len(set(parts)):
        length += 1
    return ["/".join(part[-length:]) for part in parts]


def describe(overrides: Sequence[str]) -> str:
    """A run's name from what the command line changed: `cnn, lr=0.01, seed=1`."""
    parts = []
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if key.split(".")[0] in UNNAMED or key == "data.root":
            continue
        last = key.rpartition(".")[2]
        parts.append(value if key in ("model", "experiment") else f"{last}={value}")
    return ", ".join(parts) or "default"
