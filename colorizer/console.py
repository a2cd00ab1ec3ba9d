"""Lines and tables on the terminal."""

import html
import io
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO


def say(text: str = "") -> None:
    """Print a line to standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print a line to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


# Styles of a terminal, by their numbers (ECMA-48).
STYLES = {"bold": 1, "faint": 2, "red": 31, "green": 32, "cyan": 36}


def painted(text: str, style: str) -> str:
    """A text in one of `STYLES`, where standard output is a terminal; as it is where it is not."""
    plain = style not in STYLES or not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return text if plain else f"\x1b[{STYLES[style]}m{text}\x1b[0m"


# What makes a name markup in Markdown; an underscore inside a word does not.
_MARKUP = re.compile(r"[|`*\[\]\\]")


class _Enduring(io.TextIOBase):
    """A stream that goes on silently when its reader is gone, and shows `?` for what it cannot.

    As `head` is, or a terminal that was closed: nobody loses a training by that.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

    def write(self, text: str) -> int:
        """Write as far as there is a reader."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self._silence()
            return len(text)

    def flush(self) -> None:
        """Flush as far as there is a reader."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._silence()

    def isatty(self) -> bool:
        """As the stream says."""
        return not self._stream.closed and self._stream.isatty()

    def fileno(self) -> int:
        """As the stream says."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As the stream says."""
        return self._stream.encoding

    def _silence(self) -> None:
        """Let what is still in the buffer, and what follows, go nowhere."""
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            self._stream = Path(os.devnull).open("w")  # noqa: SIM115  # for the life of the process


def endure() -> None:
    """Let no reader that goes away end the process."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or Path(os.devnull).open("w")  # noqa: SIM115  # started without one
        if not isinstance(stream, _Enduring):
            setattr(sys, name, _Enduring(stream))


class _Messages(logging.Handler):
    """Writes messages as they are: warnings to standard error, others to standard output."""

    def emit(self, record: logging.LogRecord) -> None:
        (complain if record.levelno >= logging.WARNING else say)(self.format(record))


def show_messages() -> None:
    """Print what the rooms below the commands have to say, which they log: only commands print."""
    logger = logging.getLogger("colorizer")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not any(isinstance(handler, _Messages) for handler in logger.handlers):
        logger.addHandler(_Messages())


def table_heading(
    data: str, images: int | str, split: str, protocol: str, caveat: str | None
) -> str:
    """Make the heading of a table: data set, images, split and protocol."""
    count = f"{images:,}" if isinstance(images, int) else images
    return f"{data}, {count} {split} images, protocol {protocol}" + (
        f" — {caveat}" if caveat else ""
    )


def text_table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns aligned with spaces: the first to the left, the others to the right."""
    titles, *rows = [[_plain(cell) for cell in row] for row in (titles, *rows)]
    widths = _widths(titles, rows)
    rule = ["-" * width for width in widths]
    lines = [_padded(titles, widths), rule, *(_padded(row, widths) for row in rows)]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The same as Markdown."""
    titles, *rows = [[_as_markdown(cell) for cell in row] for row in (titles, *rows)]
    widths = [max(2, width) for width in _widths(titles, rows)]  # "-:" at least
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [_padded(titles, widths), rule, *(_padded(row, widths) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _as_markdown(cell: object) -> str:
    """A cell's text, in which nothing is markup."""
    text = html.escape(_plain(cell), quote=False)
    return _MARKUP.sub(r"\\\g<0>", text)


def _plain(cell: object) -> str:
    """A cell's text without line breaks and what a terminal takes for commands."""
    return "".join(c if c.isprintable() else " " for c in str(cell))


def _widths(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    return [max(len(str(cell)) for cell in column) for column in zip(titles, *rows, strict=True)]


def _padded(row: Sequence[Any], widths: Sequence[int]) -> list[str]:
    return [
        str(cell).ljust(width) if column == 0 else str(cell).rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def duration(seconds: float) -> str:
    """A time to wait, roughly: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def last_line(error: object) -> str:
    """The last line of an error's message, with its name."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    name = type(error).__name__
    return f"{name}: {lines[-1]}" if lines else name
