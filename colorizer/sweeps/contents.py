"""What the JSON files of a sweep's folder hold: which keys, of which types."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict


class Job(TypedDict):
    """A job of a plan; see `PlannedJob`."""

    folder: str
    overrides: list[str]
    title: str
    settings: str


class Plan(TypedDict):
    """`sweep.json`; see `Sweep.write`."""

    started: str
    run: list[str]
    jobs: list[Job]


class SearchContent(TypedDict):
    """`search.json`; see `set_up`."""

    monitor: str
    direction: Literal["minimize", "maximize"]
    objectives: NotRequired[Mapping[str, Literal["minimize", "maximize"]]]
    space: Mapping[str, str]
    fixed: Mapping[str, Any]
    overrides: list[str]
    code: str
