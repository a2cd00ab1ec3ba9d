"""The errors that are for the person who started the command, not for a programmer."""

import difflib
import errno
import re
from collections.abc import Iterable


class UserError(Exception):
    """A mistake of the user's: printed as it is, without a traceback; exit status 2.

    The message says what was wrong, where, and what would be right.
    """


class DiskFull(UserError):  # noqa: N818  # named after what happened
    """There is no room to write; what was being done can be gone on with."""


# What the system says then, as `OSError.errno`.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class RunError(Exception):
    """A job that was asked for correctly and failed: exit status 1."""


class Pruned(Exception):  # noqa: N818  # it is none
    """Nothing went wrong: a search gave a training up, since others do better."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its name where it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith(":"):  # it announces the second
        return f"{lines[0]} {lines[1]}"
    return lines[0] if lines else type(error).__name__


def in_a_line(error: BaseException) -> str:
    """The first line of an error's message, behind the config's key where that is below it."""
    line = shown(first_line(error), most=300)
    key = re.search(r"full_key: (\S+)", str(error))
    return f"{key[1]}: {line}" if key and key[1] not in line else line


def shown(value: object, most: int = 60) -> str:
    """A value as a message shows it: on one line, of at most so many characters."""
    try:
        text = "null" if value is None else str(value)
    except ValueError:  # a number of more than 4,300 digits
        text = "a number of thousands of digits"
    text = text.lower() if isinstance(value, bool) else text
    line = "".join(c if c.isprintable() else "?" for c in text[:most])
    return f"{line}…" if len(text) > most else line


def not_installed(what: str, extra: str) -> str:
    """A message that an optional package is missing, and which extra of ours installs it."""
    return (
        f"{what} is not installed: pip install 'colorizer[{extra}]' "
        f"(in a checkout: pip install -e '.[{extra}]')"
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """' Did you mean …?', or what there is; for the end of a message."""
    known = sorted(set(known))
    name = name[:100]  # comparing takes the square of the length
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" There is: {', '.join(known)}." if 0 < len(known) <= 24 else ""
