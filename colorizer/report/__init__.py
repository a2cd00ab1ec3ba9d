"""Tables, curves and pictures of run directories: `colorizer report`."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from colorizer.console import complain, say
from colorizer.errors import UserError
from colorizer.report.summary import Summary
from colorizer.runs import Run, check_free, find_runs, open_run, unique_names


def main(
    folders: Sequence[str],
    output: str | None = None,
    keep: str | None = None,
    figures: str | None = None,
) -> None:
    """Print a comparison of runs and write it as a page.

    Args:
        folders: run directories, or folders with runs below them.
        output: the page; by default report.html in the one folder, else in the current one.
        keep: where to copy what the page was made from, without weights.
        figures: where to write the table and the picture as files of their own.

    Raises:
        UserError: no runs, or an output that cannot be written.
    """
    summary = summary_of([Path(folder) for folder in folders])
    default = Path(folders[0]) if len(folders) == 1 else Path()
    try:
        write_report(summary, Path(output) if output else default / "report.html")
        if keep:
            keep_records(summary, Path(keep))
            say(f"records   {keep}")
        if figures:
            summary.write_figures(Path(figures))
            say(f"figures   {figures}")
    except BrokenPipeError:
        raise
    except OSError as error:
        where = error.filename or output or default
        raise UserError(f"cannot write {where}: {error.strerror}") from error


def summary_of(folders: Sequence[Path]) -> Summary:
    """What is to be said of the runs in some folders, themselves included.

    Raises:
        UserError: a folder that is none, or holds none; or no run is finished.
    """
    runs: list[Run] = []
    for folder in folders:
        below = find_runs(folder) if folder.is_dir() else []
        # Where there is none, opening the folder itself says what is wrong with it.
        found = [open_run(path) for path in below] or [open_run(folder)]
        runs += [run for run in found if run.folder not in [known.folder for known in runs]]
    summary = Summary(runs)
    if not summary.finished:
        states = Counter(run.state for run in runs)
        text = ", ".join(f"{count} {state}" for state, count in states.items())
        raise UserError(
            f"no finished run to report in {', '.join(map(str, folders))}: {text}. "
            + " ".join(summary.notes()[:1])
        )
    return summary


def keep_records(summary: Summary, folder: Path) -> None:
    """Copy what the tables were made from, without weights.

    Raises:
        UserError: the folder holds other runs of these names.
    """
    names = unique_names(summary.finished)
    places = [folder / re.sub(r"[^\w.=]+", "-", name).strip("-") for name in names]
    for place in places:
        check_free(place)
    for run, place in zip(summary.finished, places, strict=True):
        run.copy_record(place)


def write_report(summary: Summary, path: Path) -> None:
    """Print the tables and write the page, summary.csv and the picture of examples."""
    from colorizer.report.page import write_page  # plotly takes a second to import

    for line in summary.notes():
        complain(line)
    say(summary.text())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_page(summary, path)
    say(f"\nreport    {path}")
    for picture in summary.write_pictures(path.with_name(f"{path.stem}-examples.png")):
        say(f"examples  {picture}")
    for table in summary.write_groups(path.parent) if summary.several_seeds else ():
        say(f"table     {table}")
