"""The files of a run directory.

config.yaml       the resolved config
environment.json  command line, versions, git commit, hashes of modules, hardware, seed, threads
requirements.txt  the version of everything that was installed
code.patch        from the commit to the code that ran, where they differ
sources/          modules of the user's own that it needed
status.json       running, finished, failed (with the traceback), interrupted or pruned, and the
                  fingerprints of settings and code
results.json      what it is trained on; at the end, metrics of the weights that were scored
references.json   the baselines and the real images on the same test split
logs/metrics.csv  metrics over time
checkpoints/      best.ckpt, the weights that are scored, and last.ckpt, to go on from
.lock             held by the process that trains
examples/         pictures
evaluation.json   the scores of `colorizer evaluate`
evaluation.npz    what of them is drawn
replicates.npz    the scores over resamplings of the images, by which runs are compared

Trackers add folders of their own.
"""

import os
from pathlib import Path

from colorizer.errors import UserError

CONFIG = "config.yaml"
ENVIRONMENT = "environment.json"
LOCKED = "requirements.txt"
PATCH = "code.patch"
OWN = "sources"
STATUS = "status.json"
RESULTS = "results.json"
REFERENCES = "references.json"
HISTORY = "logs/metrics.csv"
BEST = "checkpoints/best.ckpt"
LAST = "checkpoints/last.ckpt"
EXAMPLES = "examples/test.npz"
EVALUATION = "evaluation.json"
PICTURES = "evaluation.npz"
REPLICATES = "replicates.npz"

# What tables, curves and pictures are made from, and the run again: all of it but its weights.
RECORD = (
    *(CONFIG, ENVIRONMENT, LOCKED, PATCH, OWN, STATUS, RESULTS, REFERENCES, HISTORY, EXAMPLES),
    *(EVALUATION, PICTURES, REPLICATES),
)


def check_free(folder: Path) -> None:
    """Check that a run may use a directory, without touching it.

    Raises:
        UserError: it holds another run or other files, or cannot be made or written to.
    """
    if (folder / STATUS).exists():
        raise UserError(occupied(folder))
    # A process that was killed as it began has left no more than these.
    ours = {folder / ".lock", *folder.glob("*.partial")}
    if folder.is_dir() and set(folder.iterdir()) - ours:
        raise UserError(f"{folder} is not empty; a run needs a directory of its own")
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise UserError(f"cannot make the run directory {folder}: {existing} is not a folder")
    if not os.access(existing, os.W_OK):
        raise UserError(f"cannot make the run directory {folder}: no right to write in {existing}")


def occupied(folder: Path) -> str:
    """The message about a directory that holds another run."""
    return f"{folder} holds another run; choose another hydra.run.dir, or remove it"


def find_runs(folder: Path) -> list[Path]:
    """The run directories in a folder, itself included, at any depth.

    What cannot be read, or goes away meanwhile, is left out.
    """
    return sorted(
        Path(place) for place, _, files in os.walk(folder) if STATUS in files and CONFIG in files
    )
