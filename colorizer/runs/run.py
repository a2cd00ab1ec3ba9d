"""Reading a run directory."""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import torch
from omegaconf import DictConfig
from torch import Tensor

from colorizer.annotations import fits
from colorizer.cards import load_new
from colorizer.colorizer import Colorizer
from colorizer.config import build_colorizer, changed
from colorizer.errors import UserError, shown
from colorizer.files import json_ready, read_config, read_object, write_json
from colorizer.runs.checkpoints import read_weights
from colorizer.runs.contents import FINISHED, Environment, Number, Results, Scores, Status
from colorizer.runs.layout import (
    BEST,
    CONFIG,
    ENVIRONMENT,
    EVALUATION,
    HISTORY,
    PICTURES,
    REFERENCES,
    REPLICATES,
    RESULTS,
    STATUS,
    find_runs,
)
from colorizer.runs.scores import (
    REAL,
    Pictures,
    Replicates,
    ScoreRecord,
    read_pictures,
    read_replicates,
    read_scores,
    write_scores,
)
from colorizer.runs.status import state_of

Module = TypeVar("Module", bound=torch.nn.Module)


@dataclass
class Run:
    """A run directory, or a record of one without its weights."""

    folder: Path
    config: DictConfig
    status: dict[str, Any]

    @property
    def state(self) -> str:
        """The state, see `state_of`."""
        return state_of(self.status)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """The environment, see `colorizer.runs.environment`, with the hashes of modules."""
        return read_object(self.folder / ENVIRONMENT, Environment)

    @cached_property
    def results(self) -> dict[str, Any]:
        """Flat: metric name to number, and what was scored.

        Of an unfinished run no more than what it is trained on.
        """
        path = self.folder / RESULTS
        content = read_object(path, Results) if path.is_file() else {}
        for key, value in content.items():
            if "/" in key and not fits(value, Number):
                raise UserError(f"{path} cannot be read: {key}={shown(value)}: a number or null")
        return content

    @cached_property
    def references(self) -> dict[str, dict[str, float | None]]:
        """The test scores of the baselines and, last, of the real images: the rows of a table.

        `references.json` is of runs from before every training ended with an evaluation.
        """
        path = self.folder / REFERENCES
        earlier = read_object(path) if path.is_file() else {}
        if not fits(earlier, Mapping[str, Scores]):
            raise UserError(f"{path} cannot be read: metrics are numbers")
        rows = self.evaluation.references if self.evaluation else {}
        found = {name: row.headline for name, row in rows.items()}
        names = [name for name in (*earlier, *found) if name != REAL]
        return {
            name: {**found.get(name, {}), **earlier.get(name, {})}
            for name in dict.fromkeys((*names, REAL))
            if name in found or name in earlier
        }

    @cached_property
    def evaluation(self) -> ScoreRecord | None:
        """The scores on the test split beside the baselines'; None for a run without."""
        path = self.folder / EVALUATION
        return read_scores(path) if path.is_file() else None

    def pictures(self) -> Pictures | None:
        """The pictures of the evaluation; None where there are none.

        Raises:
            UserError: the file is damaged.
        """
        return read_pictures(self.folder / PICTURES)

    @cached_property
    def replicates(self) -> dict[str, Replicates]:
        """Metric to its values over resamplings of the test images; empty where they are not known.

        Raises:
            UserError: the file is damaged.
        """
        return read_replicates(self.folder / REPLICATES)

    def add_evaluation(self, record: ScoreRecord, pictures: Pictures) -> None:
        """Write what was found on the test split, with the weights that were chosen."""
        write_scores(record, pictures, self.folder)
        for name in ("evaluation", "references", "replicates"):
            self.__dict__.pop(name, None)

    def leave_out_evaluation(self) -> None:
        """Go on as if there were none."""
        self.evaluation, self.replicates = None, {}
        self.__dict__.pop("references", None)

    def metrics(self, split: str) -> dict[str, float | None]:
        """The scores on `val` or `test`, without the split in the name."""
        return {
            name.removeprefix(f"{split}/"): value
            for name, value in self.numbers.items()
            if name.startswith(f"{split}/")
        }

    @property
    def numbers(self) -> dict[str, Any]:
        """The results, and as `test/…` what the evaluation adds to them."""
        tested = any(name.startswith("test/") for name in self.results)
        more = self.evaluation.own.headline if tested and self.evaluation else {}
        return {**{f"test/{name}": value for name, value in more.items()}, **self.results}

    @property
    def interim(self) -> str | None:
        """What a run is whose numbers are no result: unfinished, see `colorizer.runs.opening`, or
        a try, see `colorizer.trainer.no_result`."""
        note: str | None = self.results.get("note")
        return note

    @property
    def colorizes(self) -> bool:
        """True if it trained a colorizer, not a judge."""
        return self.config.get("representation") is not None

    @property
    def name(self) -> str:
        """The name of the run in tables."""
        return str(self.config.get("name") or self.folder.name)

    def history(self) -> dict[str, list[tuple[float, float]]]:
        """Every metric over time, as (epoch, value); epochs count from 1 when they are over."""
        curves: dict[str, list[tuple[float, float]]] = {}
        for row in self.rows():
            for key, value in row.items():
                if value and row.get("epoch") and key not in ("epoch", "step"):
                    curves.setdefault(key, []).append((float(row["epoch"]) + 1, float(value)))
        return curves

    def rows(self) -> list[dict[str, str]]:
        """The rows of the history as they are written, without a last one that is not whole.

        Raises:
            UserError: the file is damaged.
        """
        path = self.folder / HISTORY
        try:
            text = path.read_text() if path.is_file() else ""
            rows = list(csv.DictReader(text[: text.rfind("\n") + 1].splitlines()))
            for row in rows:
                if None in row:  # more values than columns
                    raise ValueError
                for value in row.values():
                    float(value or 0)
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{path} is damaged: it cannot be read") from error
        return rows

    def colorizer(
        self, weights: str = BEST, trust: Iterable[str] = (), changes: Iterable[str] = ()
    ) -> Colorizer:
        """The trained colorizer, in evaluation mode, on the CPU.

        Args:
            weights: the checkpoint in the run directory.
            trust: packages beside the project's own that its config may instantiate from.
            changes: see `changed`.

        Raises:
            UserError: the run has no such weights, they are damaged, or its config asks for a
                class outside the trusted packages.
        """
        self._check_colorizes()
        for part in ("model", "data"):
            if not isinstance(self.config.get(part), DictConfig):
                raise UserError(f"{self.folder} is a damaged run: {CONFIG} has no {part}")
        config = changed(self.config, changes)
        made = self.loaded(lambda: build_colorizer(config, trust), "colorizer", weights)
        return made.eval()

    def loaded(self, make: Callable[[], Module], part: str, weights: str = BEST) -> Module:
        """A module of the task with its trained weights, on the CPU.

        Args:
            make: builds the untrained module.
            part: its name in the task, see `read_weights`.
            weights: the checkpoint in the run directory.

        Raises:
            UserError: the run has no such weights, or they are damaged or of another network.
        """
        mistake = f"{self.folder / weights} holds another network than {CONFIG} describes"
        return load_new(make, self._read(part, weights), mistake)

    def tensors(self) -> dict[str, Tensor]:
        """The colorizer's best weights, by name; raises UserError where there are none."""
        self._check_colorizes()
        return self._read("colorizer", BEST)

    def _read(self, part: str, weights: str) -> dict[str, Tensor]:
        path = self.folder / weights
        if not path.is_file():
            raise UserError(f"{self.folder} has no {weights}: it is a record without weights")
        return read_weights(path, part)

    def _check_colorizes(self) -> None:
        if not self.colorizes:
            raise UserError(f"{self.folder} is a run of a judge, not of a colorizer")

    def add_test(self, scores: Mapping[str, float | None]) -> None:
        """Write the test scores of a finished run that was trained without.

        Args:
            scores: without the split in the name.
        """
        tested = {f"test/{name}": value for name, value in scores.items()}
        write_json(self.folder / RESULTS, json_ready({**self.results, **tested}))


def open_run(folder: str | Path) -> Run:
    """Open a run directory; nothing else reads one.

    Raises:
        UserError: it is not a run, or is damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "it is a file" if folder.exists() else "there is no such folder"
        raise UserError(f"{folder} is not a run: {what}")
    for name in (CONFIG, STATUS):
        if not (folder / name).is_file():
            inside = find_runs(folder)
            hint = f"; there are runs below it, such as {inside[0]}" if inside else ""
            raise UserError(f"{folder} is not a run: it has no {name}{hint}")
    try:
        config = read_config(folder / CONFIG)
        if not isinstance(config, DictConfig):
            raise ValueError
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{folder} is a damaged run: {CONFIG} cannot be read") from error
    run = Run(folder, config, read_object(folder / STATUS, Status))
    if run.state == "finished" and not set(run.results) >= FINISHED:
        raise UserError(f"{folder} is a damaged run: it is finished, but {RESULTS} is not whole")
    return run


def open_finished(folder: str | Path) -> Run:
    """`open_run` for commands that need the results.

    Raises:
        UserError: also when the run is not finished.
    """
    run = open_run(folder)
    if run.state != "finished":
        what = {
            "running": "is still running",
            "died": "ended without a word (killed?)",
            "interrupted": "was interrupted",
        }.get(run.state, run.state)
        said = f" ({run.status['error']})" if run.status.get("error") else ""
        raise UserError(f"{folder} is not a finished run: it {what}{said}")
    return run
