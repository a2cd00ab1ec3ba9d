"""`colorizer diff`: how two runs differ."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from colorizer.report import Section

# Lines of a patch that are printed.
MOST_LINES = 200

# What a line of a patch begins with, and its style.
PATCH_STYLES = {"diff ": "bold", "+": "green", "-": "red", "@@": "cyan"}


def main(arguments: Sequence[str]) -> None:
    """Print how a run differs from another.

    Raises:
        UserError: one is no run, or a patch that cannot be written.
    """
    options = _parser().parse_args(arguments)
    from colorizer.console import say
    from colorizer.errors import UserError
    from colorizer.report import differences
    from colorizer.runs import open_run

    sections = differences(open_run(options.one), open_run(options.other))
    say_differences(sections)
    if options.patch:
        (patch,) = (section.patch for section in sections if section.title == "code")
        try:
            Path(options.patch).write_text(patch)
        except OSError as error:
            raise UserError(f"cannot write {options.patch}: {error.strerror}") from error
        say(f"\npatch     {options.patch}")


def say_differences(sections: Sequence["Section"]) -> None:
    """Print the parts that differ, and the names of those that do not."""
    from colorizer.console import painted, say, text_table
    from colorizer.report import same

    for section in sections:
        if not section.differs:
            continue
        say(painted(section.title, "bold"))
        for note in section.notes:
            say(f"  {note}")
        if section.rows:
            lines = text_table(section.titles, section.rows).splitlines()
            say("\n".join(f"  {_styled(line)}" for line in lines))
        if section.patch:
            say(_patch(section.patch))
        say()
    if alike := same(sections):
        say(f"the same: {', '.join(alike)}")


def _styled(line: str) -> str:
    """A line of the table: what is told apart stands out, what is the same does not."""
    from colorizer.console import painted

    if line.endswith("  yes"):
        return painted(line, "bold")
    return painted(line, "faint") if line.endswith("same bits") else line


def _patch(patch: str) -> str:
    from colorizer.console import painted

    lines = patch.splitlines()
    shown = [
        painted(line, next((s for start, s in PATCH_STYLES.items() if line.startswith(start)), ""))
        for line in (
            "".join(c if c.isprintable() else " " for c in li) for li in lines[:MOST_LINES]
        )
    ]
    if len(lines) > MOST_LINES:
        shown.append(f"… {len(lines) - MOST_LINES:,} more lines: --patch FILE has all")
    return "\n".join(f"  {line}" for line in shown)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "colorizer diff",
        description="Print how a run differs from another: settings, code (the patch from one to "
        "the other, uncommitted changes included), packages, data, machine, every metric with the "
        "95 % confidence interval of its difference, paired over images, and cost.",
        epilog="examples:\n"
        "  colorizer diff outputs/first/0 outputs/first/1\n"
        "  colorizer diff experiments/default/runs/seed=0 outputs/RUN\n"
        "  colorizer diff outputs/BEFORE outputs/AFTER --patch change.patch",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("one", metavar="RUN", help="a run directory, or a record of one")
    parser.add_argument("other", metavar="RUN", help="what it is compared with")
    parser.add_argument("--patch", metavar="FILE", help="also write the patch of the code there")
    return parser
