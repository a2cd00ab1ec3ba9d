"""A cache of what colorizers are compared with: in memory, and in the user's cache folder."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from colorizer.cache import cache_folder, code_of
from colorizer.data import ColorizationData, SplitName
from colorizer.errors import UserError
from colorizer.evaluation.images import Panel
from colorizer.evaluation.summary import Yardstick
from colorizer.files import atomic_write, read_json
from colorizer.judge import Judge
from colorizer.metrics import PROTOCOL, metrics
from colorizer.runs.scores import Scores

log = logging.getLogger(__name__)

# What the numbers depend on, with all that these import.
CODE = ("colorizer.evaluation", "colorizer.data.base")


class ReferenceCache:
    """Rows and a yardstick, by all that they depend on: data, code and judges.

    Args:
        data: whose images.
        split: of it.
        judges: who look at them.
    """

    _rows: ClassVar[dict[tuple[Path, str], Scores]] = {}
    _yardsticks: ClassVar[dict[Path, Yardstick]] = {}

    def __init__(self, data: ColorizationData, split: SplitName, judges: Sequence[Judge]) -> None:
        code = code_of(*CODE, *(type(metric).__module__ for metric in metrics().values()))
        parts = [PROTOCOL, data.split("train").fingerprint, data.split(split).fingerprint, code]
        parts += [judge.fingerprint for judge in judges]
        parts += map(str, data.near_duplicates(split))
        key = hashlib.sha256("-".join(parts).encode()).hexdigest()[:16]
        self.folder = cache_folder() / "references" / key

    @classmethod
    def forget(cls) -> None:
        """Clear the cache in memory."""
        cls._rows.clear()
        cls._yardsticks.clear()

    def row(self, name: str, compute: Callable[[], Scores]) -> Scores:
        """Return a row; computed where it is not cached."""
        key, path = (self.folder, name), self.folder / f"{name.replace(' ', '-')}.json"
        if key not in self._rows:
            try:
                self._rows[key] = Scores.from_json(read_json(path))
            except (UserError, ValueError, KeyError):
                self._rows[key] = row = compute()
                self._write(path, lambda part: part.write_text(json.dumps(row.to_json())))
        return self._rows[key]

    def yardstick(self, judges: Sequence[Judge], compute: Callable[[], Yardstick]) -> Yardstick:
        """Return the yardstick; computed where it is not cached."""
        if self.folder not in self._yardsticks:
            self._yardsticks[self.folder] = self._read(judges) or self._compute(compute)
        return self._yardsticks[self.folder]

    @property
    def _file(self) -> Path:
        return self.folder / "yardstick.npz"

    def _read(self, judges: Sequence[Judge]) -> Yardstick | None:
        """Read the yardstick; None where it was not written, or cannot be read."""
        try:
            with np.load(self._file, allow_pickle=False) as file:
                panel = Panel(judges, file["real"], file["gray"])
                return Yardstick(panel, file["chromatic"], file["labels"], file["twins"])
        except Exception:
            return None

    def _compute(self, compute: Callable[[], Yardstick]) -> Yardstick:
        log.info("scoring the real images and the baselines, once for this data")
        found = compute()

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez_compressed(
                    file,
                    real=found.panel.real,
                    gray=found.panel.gray,
                    chromatic=found.chromatic,
                    labels=found.labels,
                    twins=found.twins,
                )

        self._write(self._file, write)
        return found

    def _write(self, path: Path, write: Callable[[Path], Any]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as part:
                write(part)
        except OSError as error:
            log.warning("%s could not be cached in %s: %s", path.name, self.folder, error.strerror)
