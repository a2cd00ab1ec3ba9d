"""`colorizer report`: one table and one HTML page from run directories."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from colorizer.console import complain, say
from colorizer.errors import UserError

if TYPE_CHECKING:
    from colorizer.report import Summary


def main(arguments: Sequence[str]) -> None:
    """Print a comparison of runs and write it as a page.

    Raises:
        UserError: no runs, or an output that cannot be written.
    """
    options = _parser().parse_args(arguments)
    from colorizer.report import keep_records, summary_of

    folders, output = options.folders, options.output
    summary = summary_of([Path(folder) for folder in folders], options.weights)
    default = Path(folders[0]) if len(folders) == 1 else Path()
    try:
        say_report(summary, Path(output) if output else default / "report.html")
        if options.keep:
            keep_records(summary, Path(options.keep))
            say(f"records   {options.keep}")
        if options.figures:
            summary.write_figures(Path(options.figures))
            say(f"figures   {options.figures}")
        if options.wandb:
            _wandb(summary, options, default)
    except OSError as error:
        where = error.filename or output or default
        raise UserError(f"cannot write {where}: {error.strerror}") from error


def _wandb(summary: "Summary", options: argparse.Namespace, folder: Path) -> None:
    """Describe the runs' pages in W&B, and make them there where W&B is online."""
    from colorizer.report.wandb_pages import WandbPages, write_specifications

    title = folder.resolve().name
    pages = WandbPages.of(summary, title, options.entity, options.project)
    path = (Path(options.output).parent if options.output else folder) / "wandb-pages.json"
    write_specifications(pages, path)
    say(f"pages     {path}")
    if os.environ.get("WANDB_MODE") == "online":
        for page in pages:
            for address in page.send():
                say(f"W&B       {address}")
    else:
        say("          WANDB_MODE=online makes them in W&B")


def say_report(summary: "Summary", path: Path) -> None:
    """Print what a reader has to know and the tables; write the page and what is beside it."""
    from colorizer.report import write_report

    for line in summary.notes():
        complain(line)
    say(summary.text())
    say("\n" + "\n".join(write_report(summary, path)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "colorizer report",
        description="Print one table and write one self-contained HTML page from run directories, "
        "finished or not: mean and standard deviation over seeds with paired differences, what was "
        "varied as parallel coordinates, learning curves, and the same images gray, predicted and "
        "true.",
        epilog="examples:\n"
        "  colorizer report outputs\n"
        "  colorizer report outputs/2026-11-22/* -o comparison.html\n"
        "  colorizer report outputs/course --keep experiments/course/runs\n"
        "  WANDB_MODE=online colorizer report outputs/course --wandb",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="+", metavar="RUN_OR_FOLDER")
    parser.add_argument(
        "-o", "--output", help="the page; default: report.html in the folder, or in outputs/"
    )
    parser.add_argument(
        "--weights",
        choices=("best", "last"),
        help="also show unfinished runs, with the validation metrics of these weights",
    )
    parser.add_argument(
        "--keep",
        metavar="FOLDER",
        help="also copy there what the page was made from: configs, results, curves and examples "
        "of the finished runs, without weights",
    )
    parser.add_argument(
        "--figures",
        metavar="FOLDER",
        help="also write table.md, table.csv, summary.csv, differences.csv and examples.png there",
    )
    parser.add_argument(
        "--wandb",
        action="store_true",
        help="also describe a workspace and a report of these runs for W&B, in wandb-pages.json; "
        "with WANDB_MODE=online they are made there",
    )
    parser.add_argument("--entity", help="W&B's user or team; default: $WANDB_ENTITY, or your own")
    parser.add_argument("--project", help="default: the one that the runs were logged in")
    return parser
