"""Records of runs: all of a run directory but its weights."""

import shutil
from pathlib import Path

from colorizer.files import write_json
from colorizer.runs.layout import ENVIRONMENT, LAST, RECORD, STATUS, check_free
from colorizer.runs.run import Run
from colorizer.runs.status import read_status

# The process and the machine that it ran on say nothing to others.
LOCAL = ("host", "pid", "process", "traceback", "platform")


def keep_record(run: Run, folder: Path) -> None:
    """Copy all of a run but the weights and the tracker's files, completely or not at all.

    Raises:
        UserError: see `check_record`.
    """
    check_record(run, folder)
    part, old = (folder.with_name(f"{folder.name}.{end}") for end in ("partial", "replaced"))
    for left in (part, old):
        shutil.rmtree(left, ignore_errors=True)
    for name in RECORD:
        if (run.folder / name).is_dir():
            shutil.copytree(run.folder / name, part / name)
        elif (run.folder / name).is_file():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            if name != STATUS:  # last, as it is what makes a folder a run
                shutil.copyfile(run.folder / name, part / name)
    for name, content in ((ENVIRONMENT, run.environment), (STATUS, run.status)):
        write_json(part / name, {k: v for k, v in content.items() if k not in LOCAL})
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def check_record(run: Run, folder: Path) -> None:
    """Check that a folder is free for a run's record, or holds an earlier one of the same run.

    Raises:
        UserError: it does not.
    """
    status = read_status(folder)
    if (
        status is None
        or folder.resolve() == run.folder.resolve()
        or (folder / LAST).parent.exists()
        or any(status.get(key) != run.status.get(key) for key in ("started", "settings"))
    ):
        check_free(folder)
