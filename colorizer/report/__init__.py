"""Tables, curves and pictures of run directories."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from colorizer.errors import UserError
from colorizer.report.difference import Section, differences, metric_rows, same
from colorizer.report.summary import Summary
from colorizer.runs import check_record, keep_record, open_runs, unique_names

__all__ = [
    "Section",
    "Summary",
    "differences",
    "keep_records",
    "metric_rows",
    "same",
    "summary_of",
    "write_report",
]


def summary_of(folders: Sequence[Path], weights: str | None = None) -> Summary:
    """Summarise the runs in some folders, themselves included.

    Args:
        folders: run directories, or folders of them.
        weights: `best` or `last`: unfinished runs are in the tables, too, with the validation
            metrics of these weights.

    Raises:
        UserError: a folder that is none, or holds none; or no run is finished.
    """
    runs, damaged = open_runs(folders, weights)
    summary = Summary(runs, damaged)
    if not summary.finished:
        states = Counter(run.state for run in runs)
        text = ", ".join(f"{count} {state}" for state, count in states.items())
        raise UserError(
            f"no finished run to report in {', '.join(map(str, folders))}: {text}. "
            + " ".join(summary.notes()[:1])
        )
    return summary


def keep_records(summary: Summary, folder: Path) -> None:
    """Copy what the tables were made from, without weights; earlier copies are replaced.

    Raises:
        UserError: the folder holds other runs of these names.
    """
    names = unique_names(summary.finished)
    places = [folder / re.sub(r"[^\w.=]+", "-", name).strip("-") for name in names]
    for run, place in zip(summary.finished, places, strict=True):
        check_record(run, place)
    for run, place in zip(summary.finished, places, strict=True):
        keep_record(run, place)


def write_report(summary: Summary, path: Path) -> list[str]:
    """Write the page, the picture of examples and, of several seeds, summary.csv beside it.

    Returns:
        A line for each file.
    """
    from colorizer.report.page import write_page  # plotly takes a second to import

    path.parent.mkdir(parents=True, exist_ok=True)
    write_page(summary, path)
    pictures = summary.write_pictures(path.with_name(f"{path.stem}-examples.png"))
    tables = summary.write_groups(path.parent) if summary.several_seeds else []
    return [
        f"report    {path}",
        *(f"examples  {picture}" for picture in pictures),
        *(f"table     {table}" for table in tables),
    ]
