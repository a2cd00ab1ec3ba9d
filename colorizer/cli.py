"""The `colorizer` command: finds the room of a command and calls its `main`."""

import importlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from colorizer import signals
from colorizer.console import endure, show_messages
from colorizer.errors import DISK_FULL, RunError, UserError, in_a_line, nearest

OK, FAILED, USER_ERROR, REQUEUE, INTERRUPTED = 0, 1, 2, 75, 130

# A module of colorizer/commands/ each, imported when it is asked for.
COMMANDS = {
    "train": "train, test and show a colorizer; everything is a config override",
    "sweep": "one training for each combination of values, or a search: train -m",
    "evaluate": "score runs and baselines side by side",
    "report": "one table and one HTML page from run directories",
    "diff": "show how two runs differ, from the code to the metrics",
    "reproduce": "train a run again as it was, and compare every metric",
    "dashboard": "a live page of runs and sweeps as they train",
    "study": "run a study of experiments/, or make its tables again",
    "colorize": "photographs in colour, at their own size",
    "serve": "a page in the browser: colour pictures, and ask people which one was real",
    "weights": "write a trained colorizer as a file that colorizer.load takes",
    "export": "write a trained colorizer as ONNX or safetensors",
    "judge": "write trained judges as files for evaluate",
    "bench": "compare the training loop and the data path with plain PyTorch",
}

OVERVIEW = """\
usage: colorizer COMMAND ...

Experiments in image colorization: gray in, plausible colour out.

commands:
{commands}

colorizer COMMAND --help says more.

examples:
  colorizer train                                  the default recipe on CIFAR-10
  colorizer train data=photos trainer.max_epochs=2 a first look, without a download
  colorizer evaluate outputs/RUN model=gray_copy
  colorizer report outputs
  colorizer colorize album/ -o coloured/
  colorizer dashboard outputs
"""


# The first that a process imports which another one of ours has started.
signals.follow()


def entry_point() -> None:
    """Run the command line of the process; what the console script calls."""
    endure()
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(status)


def main(arguments: Sequence[str]) -> int:
    """Run a command and return the exit status.

    Errors become an exit status and, for the user's mistakes, a line or two.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        lines = "\n".join(f"  {name:<10} {text}" for name, text in COMMANDS.items())
        sys.stdout.write(OVERVIEW.format(commands=lines))
        return OK
    name, rest = arguments[0], arguments[1:]
    if name == "--version":
        from importlib.metadata import version

        sys.stdout.write(f"colorizer {version('colorizer')}\n")
        return OK
    if name not in COMMANDS:
        sys.stderr.write(f"colorizer: no command {name!r}.{nearest(name, COMMANDS)}\n")
        return USER_ERROR
    show_messages()
    try:
        importlib.import_module(f"colorizer.commands.{name}").main(rest)
    except (Exception, KeyboardInterrupt) as error:
        return _ended_by(error)
    return OK


def _ended_by(error: Exception | KeyboardInterrupt) -> int:
    """Say what ended a command, and return the exit status.

    Hydra's and the system's errors are the user's mistakes, as those that say so; others are ours.
    """
    if stopped := signals.behind(error):
        sys.stderr.write("\ncolorizer: interrupted\n")
        # A system that has stopped it, not a person, may start it again.
        return REQUEUE if getattr(stopped, "requeue", False) else INTERRUPTED
    assert isinstance(error, Exception)
    if isinstance(error, UserError):
        return _say(error, USER_ERROR)
    if isinstance(error, RunError):
        return _say(error, FAILED)
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(error, OSError) and error.errno in DISK_FULL:
        full = f"the disk is full ({error.strerror}): the same command goes on when there is room"
        return _say(UserError(full), USER_ERROR)
    if isinstance(error, HydraException | OSError):
        return _say(error, USER_ERROR)
    if isinstance(error, OmegaConfBaseException):
        return _say(UserError(in_a_line(error)), USER_ERROR)
    if _of_hydra(error):
        # Such as of hydra.verbose=7: Hydra looks at its own settings when it uses them.
        return _say(UserError(f"Hydra cannot do that: {in_a_line(error)}"), USER_ERROR)
    traceback.print_exception(error)
    return FAILED


def _of_hydra(error: Exception) -> bool:
    """Whether an error was raised in Hydra, or in what Hydra sets up."""
    import logging.config

    import hydra

    frames = traceback.extract_tb(error.__traceback__)
    places = (str(Path(hydra.__file__).parent), logging.config.__file__)
    return bool(frames) and frames[-1].filename.startswith(places)


def _say(error: Exception, status: int) -> int:
    sys.stderr.write(f"colorizer: {error}\n")
    return status
