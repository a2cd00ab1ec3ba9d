"""A file of answers to the two-alternative forced choice: a JSON object a line."""

import fcntl
import json
import os
import threading
from pathlib import Path

from colorizer.annotations import mismatch
from colorizer.errors import UserError
from colorizer.serve.two_afc import FORMAT, Answer


class Answers:
    """A file that answers are added to; it is made with the first.

    Several servers may write to the same file.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise UserError if answers cannot be added."""
        try:
            is_new = not self.path.exists()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab"):
                pass
            if is_new:
                self.path.unlink()
        except OSError as error:
            raise UserError(f"cannot write to {self.path}: {error.strerror}") from error

    def add(self, answer: Answer) -> None:
        """Add a line: in one piece, on the disk when this returns, after a cut line if need be.

        Raises:
            UserError: it cannot be written, as on a full disk; nothing of it remains then.
        """
        line = (json.dumps(answer, allow_nan=False) + "\n").encode()
        try:
            with self._lock, self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                size = file.seek(0, os.SEEK_END)
                if size:
                    file.seek(size - 1)
                    line = line if file.read(1) == b"\n" else b"\n" + line
                try:
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    os.truncate(self.path, size)
                    raise
        except OSError as error:
            raise UserError(f"cannot write to {self.path}: {error.strerror}") from error

    def read(self) -> tuple[list[Answer], int]:
        """The answers so far, and how many lines are none, such as one that was cut.

        Raises:
            UserError: the file is there and cannot be read.
        """
        try:
            lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        except OSError as error:
            raise UserError(f"{self.path} cannot be read: {error.strerror}") from error
        answers = [_answer(line) for line in lines if line.strip()]
        good = [answer for answer in answers if answer]
        return good, len(answers) - len(good)


def _answer(line: bytes) -> Answer | None:
    try:
        found: Answer = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or mismatch(found, Answer) or found["format"] != FORMAT:
        return None
    return found
