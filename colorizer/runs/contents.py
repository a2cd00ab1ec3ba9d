"""What the JSON files of a run directory hold: which keys, of which types."""

from collections.abc import Mapping
from typing import Annotated, Literal, NotRequired, Required, TypedDict

from colorizer.ranges import Range

Number = float | None


class Sitting(TypedDict, total=False):
    """A part of a training, in one process; its cost as in `colorizer.costs`."""

    started: str
    host: str
    step: int
    cost: Mapping[str, float]


class Status(TypedDict, total=False):
    """`status.json`; see `RunWriter`."""

    state: Required[Literal["running", "finished", "failed", "interrupted", "pruned"]]
    started: str
    updated: str
    settings: str
    code: str
    host: str
    pid: Annotated[int, Range(0, 2**31 - 1)] | None
    process: str | None
    error: str
    traceback: str
    slurm_job: str | None
    tracker_id: str
    sittings: list[Sitting]


class Git(TypedDict, total=False):
    """The commit of a checkout, and whether files differ from it."""

    commit: Required[str]
    dirty: Required[bool]
    left_out: list[str]


class Environment(TypedDict, total=False):
    """`environment.json`; see `colorizer.runs.environment`."""

    command: Required[str]
    overrides: Required[list[str]]
    choices: Mapping[str, str | None]
    git: Required[Git | None]
    packages: Mapping[str, str]
    modules: Mapping[str, str]
    python: str
    platform: str
    threads: int
    cpu: Mapping[str, int | str | None]
    gpus: list[str]


class Results(TypedDict, total=False):
    """`results.json`: metrics, which are numbers, and these."""

    protocol: str
    data: str
    caveat: str | None
    train_fingerprint: str
    val_fingerprint: str
    test_fingerprint: str
    val_images: int
    test_images: int
    weights: str
    note: str
    parameters: int
    epochs: int
    steps: int


# Of the results of a finished run.
FINISHED = frozenset({"data", "protocol", "test_fingerprint", "parameters", "epochs"})

Scores = Mapping[str, Number]


class ByScale(TypedDict):
    """Where chroma errs and what its detail is like; see `colorizer.evaluation.scales`."""

    scale: list[str]
    error: list[float]
    predicted: list[float]
    true: list[float]
    with_light: list[float]
    true_with_light: list[float]
    worst: list[float]
    worst_error: list[float]


class Row(TypedDict):
    """The scores of a row of tables; see `colorizer.runs.scores`."""

    readings: Mapping[str, Mapping[str, Mapping[str, tuple[Number, Number, Number]]]]
    classes: Mapping[str, Scores]
    by_chroma: Mapping[str, list[Number]]
    extras: Scores
    by_scale: NotRequired[ByScale]


class Evaluation(TypedDict, total=False):
    """`evaluation.json`."""

    own: Required[Row]
    references: Required[Mapping[str, Row]]
    protocol: Required[str]
    data: Required[str]
    split: Required[str]
    fingerprint: Required[str]
    images: Required[int]
    judges: Required[list[str]]
    chromatic_images: int
    weights: str
