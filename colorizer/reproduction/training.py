"""Trains a run again in a process of its own, with the code that is on its path.

This file is run by itself, with the run's code: of that it asks no more than
`train(config, folder)`, with the arguments that it takes.
"""

import contextlib
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from colorizer.reproduction.environment import Environment
    from colorizer.reproduction.folders import Folders
    from colorizer.runs import Run

# A logger that sends nothing anywhere, and writes what is compared.
OURS = "colorizer.loggers.CSVLogger"

STATUS_REQUEUE, STATUS_INTERRUPTED = 75, 130


def train_again(run: "Run", environment: "Environment", folders: "Folders", root: Path) -> None:
    """Train a run again, in `folders.run`; what is interrupted there is gone on with.

    Args:
        run: the one on record.
        environment: with its packages.
        folders: of the reproduction.
        root: where data sets are looked for.

    Raises:
        RunError: the training failed.
        KeyboardInterrupt: it was interrupted.
    """
    import os

    from omegaconf import OmegaConf

    from colorizer import signals
    from colorizer.errors import RunError
    from colorizer.files import write_json

    config: Any = OmegaConf.to_container(run.config, resolve=False)
    loggers = (config.get("logger") or {}).items()
    config["trainer"]["default_root_dir"] = "${run_dir}"
    config["logger"] = {k: v for k, v in loggers if v and v.get("_target_") == OURS} or None
    known = {key: run.environment.get(key) for key in ("overrides", "choices", "threads")}
    write_json(folders.request, {"config": config, **known})
    folders.run.mkdir(exist_ok=True)
    signals.lead()
    variables = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONHOME"},
        "PYTHONPATH": os.pathsep.join(map(str, environment.paths)),
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "COLORIZER_DATA": str(root),
    }
    command = [str(environment.python), __file__, str(folders.request)]
    process = subprocess.Popen(command, cwd=folders.run, env=variables)
    status = _wait(process)
    if status in (STATUS_INTERRUPTED, STATUS_REQUEUE):
        raise KeyboardInterrupt
    if status:
        raise RunError(f"the training in {folders.run} ended with status {status}")


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """The exit status; Ctrl-C reaches the process, too, which ends in order."""
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            return process.wait()


def main(request: Path) -> int:
    """Train what a request asks for, in the current folder."""
    from omegaconf import OmegaConf

    from colorizer.errors import UserError
    from colorizer.train import train

    with contextlib.suppress(ImportError, AttributeError):  # code from before there were any
        from colorizer import signals

        signals.follow()
        signals.install()
    asked = json.loads(request.read_text())
    config = OmegaConf.create(asked.pop("config"))
    takes = inspect.signature(train).parameters
    try:
        train(config, Path.cwd(), **{key: value for key, value in asked.items() if key in takes})
    except KeyboardInterrupt as stopped:
        return STATUS_REQUEUE if getattr(stopped, "requeue", False) else STATUS_INTERRUPTED
    except UserError as error:
        raise SystemExit(str(error)) from error
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
