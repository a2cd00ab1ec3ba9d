"""`colorizer reproduce`: a run again, from its folder and the repository alone."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from colorizer.reproduction import Comparison, Environment, Folders
    from colorizer.runs import Run


def main(arguments: Sequence[str]) -> None:
    """Rebuild the code and the packages of a run, train it again, and compare every metric.

    Raises:
        UserError: the run is not finished, or its code or its packages are not to be had.
        RunError: the training failed, or something differs in a bit.
        KeyboardInterrupt: SIGINT or SIGTERM; the same command goes on.
    """
    options = _parser().parse_args(arguments)
    from colorizer import signals
    from colorizer.console import say
    from colorizer.errors import RunError
    from colorizer.reproduction import Comparison, Folders, train_again
    from colorizer.runs import open_finished, read_status

    signals.install()
    run = open_finished(options.run)
    folders = Folders(Path(options.output)) if options.output else Folders.of(run)
    if (read_status(folders.run) or {}).get("state") != "finished":
        environment = _rebuilt(run, folders, options)
        data = options.data or os.environ.get("COLORIZER_DATA") or "data"
        train_again(run, environment, folders, Path(data).absolute())
    comparison = Comparison(run, open_finished(folders.run))
    say()
    _say(comparison)
    say(f"\nrun       {folders.run}")
    if not comparison.exact:
        differ = [name for name, alike in comparison.metrics.items() if not alike]
        raise RunError(f"{len(differ)} of {len(comparison.metrics)} metrics differ from the record")


def _rebuilt(run: "Run", folders: "Folders", options: argparse.Namespace) -> "Environment":
    """The code and the packages of a run; each difference from the record is said."""
    from colorizer.console import say
    from colorizer.reproduction import Environment, machine_differences, rebuild_code
    from colorizer.runs import OWN, checkout, not_kept

    repository = Path(options.repository) if options.repository else checkout() or Path()
    rebuild_code(run, repository, folders.code)
    if options.here:
        environment = Environment.here(run)
    else:
        environment = Environment.fresh(run, folders.code, folders.venv)
    environment.paths = [folders.code, (run.folder / OWN).absolute()]
    say(f"code      {folders.code}")
    say(f"python    {environment.python}")
    for line in [*not_kept(run), *environment.differences, *machine_differences(run)]:
        say(f"differs   {line}")
    return environment


def _say(comparison: "Comparison") -> None:
    from colorizer.commands.diff import say_differences
    from colorizer.console import say

    say_differences(comparison.sections)
    if missing := comparison.not_made:
        say(f"not made by a training: {', '.join(missing)}; colorizer evaluate makes them")
    count = len(comparison.metrics)
    alike = sum(comparison.metrics.values())
    say(f"the same bits: {alike} of {count} metrics" + _and_more(comparison))


def _and_more(comparison: "Comparison") -> str:
    parts = {"metrics over time": comparison.history, "best weights": comparison.weights}
    known = {name: same for name, same in parts.items() if same is not None}
    return "".join(f"; {name}: {'yes' if same else 'no'}" for name, same in known.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "colorizer reproduce",
        description="Train a finished run again, and compare every metric with the record: check "
        "its commit out, apply what was not committed, install the recorded version of every "
        "package into a new virtual environment, and train from the recorded config. What cannot "
        "be had (a version, this Python, that processor) is named. It executes the code of the "
        "run: only reproduce runs of people whom you trust.",
        epilog="examples:\n"
        "  colorizer reproduce outputs/RUN\n"
        "  colorizer reproduce outputs/RUN --here\n"
        "  colorizer reproduce experiments/default/runs/seed=0 --here -o outputs/again\n\n"
        "exit status: 0 the same bits, 1 something differs, 2 a mistake or nothing to rebuild it "
        "from",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="a finished run, or a record of one")
    parser.add_argument(
        "--here",
        action="store_true",
        help="use the packages that are installed here, with the code of the run",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        help="of the code, the packages and the new run; default: outputs/reproduced/RUN. The same "
        "command goes on there",
    )
    parser.add_argument(
        "--data", metavar="FOLDER", help="where the data is; default: $COLORIZER_DATA, else data/"
    )
    parser.add_argument(
        "--repository", metavar="FOLDER", help="that has the commit; default: of this package"
    )
    return parser
