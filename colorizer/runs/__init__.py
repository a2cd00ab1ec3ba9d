"""Run directories: one training each, with everything about it."""

from colorizer.runs.checkpoints import read_weights
from colorizer.runs.code import code_versions, job_code
from colorizer.runs.identity import (
    INCIDENTAL,
    data_content,
    flat,
    recorded,
    settings_fingerprint,
    weights_content,
)
from colorizer.runs.layout import BEST, EXAMPLES, LAST, check_free, find_runs
from colorizer.runs.names import unique_names
from colorizer.runs.opening import CHECKPOINTS, open_runs, open_scored, superseded, unfinished
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
from colorizer.runs.status import read_status, state_of
from colorizer.runs.writer import RunWriter

__all__ = [
    "BEST",
    "CHECKPOINTS",
    "EXAMPLES",
    "INCIDENTAL",
    "LAST",
    "REAL",
    "UNFINISHED",
    "Pictures",
    "Run",
    "RunWriter",
    "ScoreRecord",
    "Scores",
    "batch_job",
    "check_free",
    "check_record",
    "check_resumable",
    "code_versions",
    "data_content",
    "find_runs",
    "finished_before",
    "flat",
    "identity_of",
    "job_code",
    "keep_record",
    "open_finished",
    "open_run",
    "open_runs",
    "open_scored",
    "place_of",
    "read_status",
    "read_weights",
    "recorded",
    "settings_fingerprint",
    "state_of",
    "superseded",
    "threads_of",
    "unfinished",
    "unique_names",
    "weights_content",
]
