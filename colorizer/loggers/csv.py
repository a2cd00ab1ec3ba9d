"""Metrics over time in a CSV file."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytorch_lightning.loggers as lightning
from lightning_fabric.loggers.logger import rank_zero_experiment
from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning.loggers.csv_logs import ExperimentWriter

from colorizer.files import atomic_write


class CSVLogger(lightning.CSVLogger):
    """Lightning's, which goes on with the file of an interrupted training."""

    @property
    @rank_zero_experiment
    def experiment(self) -> "_Writer":
        """The writer of the file."""
        if not isinstance(self._experiment, _Writer):
            self._experiment = _Writer(self.log_dir)
        return self._experiment

    @rank_zero_only
    def go_on(self, step: int) -> None:
        """Drop what was logged at a step or later, which is made again."""
        self.experiment.cut(step)


class _Writer(ExperimentWriter):
    """Keeps a file that is there."""

    def _check_log_dir_exists(self) -> None:
        self.path = Path(self.metrics_file_path)
        if self.path.is_file():
            self.cut(None)

    def cut(self, step: int | None) -> None:
        """Keep the rows before a step, and no last line that is not whole."""
        rows = [row for row in self._rows() if _is_before(row, step)]
        self.metrics_keys = list(rows[0]) if rows else []
        if rows:
            self._replace(rows)
        else:
            self.path.unlink(missing_ok=True)

    def _rewrite_with_new_header(self, fieldnames: list[str]) -> None:
        # Lightning's empties the file before it writes the rows again.
        rows = self._rows()
        try:
            self._replace(rows)
        except BaseException:
            self.metrics_keys = list(rows[0]) if rows else []  # those of the file that is there
            raise

    def _rows(self) -> list[dict[str, str]]:
        text = self.path.read_text() if self.path.is_file() else ""
        return list(csv.DictReader(text[: text.rfind("\n") + 1].splitlines()))

    def _replace(self, rows: Iterable[dict[str, str]]) -> None:
        with atomic_write(self.path) as part, part.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.metrics_keys)
            writer.writeheader()
            writer.writerows(rows)


def _is_before(row: dict[str, Any], step: int | None) -> bool:
    try:
        return step is None or int(row["step"]) < step
    except (KeyError, TypeError, ValueError):
        return False
