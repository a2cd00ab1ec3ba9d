"""Run directories: one training each, with everything about it.

`colorizer.runs("outputs/first")` makes a pandas data frame of all runs in a folder, see `frame`.
"""

import sys
from types import ModuleType
from typing import Any

from colorizer.runs.checkpoints import read_checkpoint, read_weights
from colorizer.runs.code import code_versions, job_code
from colorizer.runs.costs import cost_of
from colorizer.runs.environment import machine
from colorizer.runs.frame import frame, frame_of
from colorizer.runs.identity import (
    INCIDENTAL,
    data_content,
    flat,
    identifying,
    recorded,
    settings_fingerprint,
    weights_content,
)
from colorizer.runs.layout import BEST, EXAMPLES, LAST, OWN, PATCH, check_free, find_runs
from colorizer.runs.names import distinct_suffixes, unique_names
from colorizer.runs.opening import CHECKPOINTS, open_runs, open_scored, superseded, unfinished
from colorizer.runs.provenance import (
    commit_of,
    lock_of,
    not_kept,
    packages_of,
    patch_between,
)
from colorizer.runs.records import check_record, keep_record
from colorizer.runs.resume import (
    UNFINISHED,
    batch_job,
    check_resumable,
    finished_before,
    identity_of,
    place_of,
    threads_of,
)
from colorizer.runs.run import Run, open_finished, open_run
from colorizer.runs.scores import REAL, Pictures, ScoreRecord, Scores
from colorizer.runs.sources import canonical, checkout, git
from colorizer.runs.status import read_status, state_of
from colorizer.runs.varied import varied_settings
from colorizer.runs.writer import RunWriter

__all__ = [
    "BEST",
    "CHECKPOINTS",
    "EXAMPLES",
    "INCIDENTAL",
    "LAST",
    "OWN",
    "PATCH",
    "REAL",
    "UNFINISHED",
    "Pictures",
    "Run",
    "RunWriter",
    "ScoreRecord",
    "Scores",
    "batch_job",
    "canonical",
    "check_free",
    "check_record",
    "check_resumable",
    "checkout",
    "code_versions",
    "commit_of",
    "cost_of",
    "data_content",
    "distinct_suffixes",
    "find_runs",
    "finished_before",
    "flat",
    "frame",
    "git",
    "identifying",
    "identity_of",
    "job_code",
    "keep_record",
    "lock_of",
    "machine",
    "not_kept",
    "open_finished",
    "open_run",
    "open_runs",
    "open_scored",
    "packages_of",
    "patch_between",
    "place_of",
    "read_checkpoint",
    "read_status",
    "read_weights",
    "recorded",
    "settings_fingerprint",
    "state_of",
    "superseded",
    "threads_of",
    "unfinished",
    "unique_names",
    "varied_settings",
    "weights_content",
]


class _Runs(ModuleType):
    """This package, which can be called."""

    def __call__(self, *folders: Any) -> Any:
        return frame_of(*folders)


def _made_callable() -> ModuleType:
    package = sys.modules[__name__]
    package.__class__ = _Runs
    return package


_package = _made_callable()
