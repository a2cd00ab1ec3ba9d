"""Lightning's loggers, so that an interrupted training goes on in them and none ends a training."""

import csv
import logging
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

import pytorch_lightning.loggers as lightning
from lightning_fabric.loggers.logger import _DummyExperiment, rank_zero_experiment
from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning.loggers.csv_logs import ExperimentWriter

from colorizer import signals, tracking
from colorizer.console import last_line
from colorizer.files import atomic_write

log = logging.getLogger(__name__)


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


def _harmless(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of the logger fail without harm to the training."""

    @wraps(method)
    def attempt(self: "WandbLogger", *args: Any, **kwargs: Any) -> Any:
        while not self.failed:
            try:
                return method(self, *args, **kwargs)
            except Exception as error:
                self.give_way(error)
        return None

    return attempt


class WandbLogger(lightning.WandbLogger):
    """Lightning's, whose failures end no training: they are said once, and it is left out."""

    failed = False

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """W&B's run; what takes every call and does nothing, where there is none."""
        while not self.failed:
            try:
                return lightning.WandbLogger.experiment.fget(self)  # type: ignore[attr-defined]
            except Exception as error:
                self.give_way(error)
        return _DummyExperiment()

    def give_way(self, error: Exception) -> None:
        """Say what failed, once, and go on offline where it had not begun, else without."""
        if stopped := signals.behind(error):
            raise stopped from error
        if self.failed:
            return
        offline = self._experiment is None and self._wandb_init.get("mode") != "offline"
        if offline:
            self._wandb_init["mode"] = "offline"
            if number := self._wandb_init.get("id"):  # W&B holds the first one to be in use
                self._wandb_init["id"] = f"{number}-offline"
        self.failed = not offline
        how = "offline" if offline else "without it"
        log.warning(f"W&B failed ({last_line(error)}); the training goes on {how}")
        if self.failed:
            tracking.let_go()

    log_metrics = _harmless(lightning.WandbLogger.log_metrics)
    log_hyperparams = _harmless(lightning.WandbLogger.log_hyperparams)
    log_image = _harmless(lightning.WandbLogger.log_image)
    finalize = _harmless(lightning.WandbLogger.finalize)
    save = _harmless(lightning.WandbLogger.save)
