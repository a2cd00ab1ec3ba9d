"""Searching a space of settings with Optuna (Akiba et al. 2019).

A search lives in the folder of its sweep: `optuna.journal` holds the trials, `search.json` what is
searched, and the numbered folders the trials' runs.
"""

import contextlib
import logging
import os
import shlex
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from colorizer import tracking
from colorizer.config import parsed, quoted
from colorizer.console import text_table
from colorizer.evaluation import test_run
from colorizer.files import read_json
from colorizer.processes import process_lives, process_start
from colorizer.runs import open_run
from colorizer.sweeps.launchers import in_process, trials_at_once
from colorizer.sweeps.plan import SEARCH, PlannedJob
from colorizer.sweeps.run import failure, launch
from colorizer.sweeps.search_settings import (
    FrozenTrial,
    SearchSettings,
    Trial,
    TrialState,
    distribution,
    journal,
    make_sampler,
    optuna,
)
from colorizer.sweeps.search_setup import exclusively

log = logging.getLogger(__name__)

JOURNAL = "optuna.journal"

# Of the trials, the best so many are printed.
SHOWN = 5


class Search:
    """A study of Optuna's in a folder, and what its trials have in common.

    Args:
        folder: of the sweep.
        content: what `search.json` holds.
        settings: of the sweeper.
    """

    def __init__(
        self, folder: Path, content: dict[str, Any], settings: SearchSettings | None = None
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.folder = folder
        self.content = content
        self.settings = settings or SearchSettings()
        self.monitor: str = content["monitor"]
        self.direction: str = content["direction"]
        self.study = optuna.create_study(
            study_name=folder.name,
            storage=journal(folder / JOURNAL),
            direction=self.direction,
            load_if_exists=True,
        )

    @classmethod
    def open(cls, folder: Path, settings: SearchSettings | None = None) -> "Search":
        """The search in a folder that `set_up` has prepared."""
        return cls(folder, read_json(folder / SEARCH), settings)

    # --- running trials ---

    def run(self, launcher: Any) -> None:
        """Run trials until there are `n_trials` that count, beside whoever else does."""
        distributions = {
            key: distribution(override) for key, override in self._parsed_space().items()
        }
        alone = in_process(launcher.config.hydra.launcher)
        at_once = 1 if alone else trials_at_once(launcher.config.hydra.launcher)
        while trials := self._ask(at_once, distributions):
            jobs = [self._job(trial, launcher.config) for trial in trials]
            try:
                ended = launch(launcher, jobs, attempts=1)
            except BaseException:
                for trial, job in zip(trials, jobs, strict=True):
                    if job.state in ("finished", "pruned"):
                        self._tell(trial, job)
                    else:
                        self.study.tell(trial.number, state=TrialState.FAIL)
                raise
            for trial, job in zip(trials, ended, strict=True):
                self._tell(trial, job)

    def _ask(
        self, at_once: int, distributions: Mapping[str, optuna.distributions.BaseDistribution]
    ) -> list[Trial]:
        """Ask for up to so many new trials; none when there are enough."""
        with exclusively(self.folder):
            self._fail_abandoned()
            count = self.counted()
            self.study.sampler = make_sampler(self.settings, count)
            trials = []
            for _ in range(min(at_once, self.settings.n_trials - count)):
                trial = self.study.ask(dict(distributions))
                trial.set_user_attr(
                    "owner", [socket.gethostname(), os.getpid(), process_start(os.getpid())]
                )
                trials.append(trial)
        return trials

    def counted(self) -> int:
        """Trials that count: all but those that were interrupted."""
        return sum(
            trial.state != TrialState.FAIL or "error" in trial.user_attrs
            for trial in self.study.get_trials(deepcopy=False)
        )

    def _fail_abandoned(self) -> None:
        """Fail the trials whose process is gone."""
        for trial in self.study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            host, pid, start = trial.user_attrs.get("owner", (socket.gethostname(), 0, None))
            here = host == socket.gethostname()
            if here and not process_lives(pid, start):
                log.warning(f"trial {trial.number} was left running by a process that is gone")
                self.study.tell(trial.number, state=TrialState.FAIL)

    def _job(self, trial: Trial, config: DictConfig) -> PlannedJob:
        own = _assignments(trial.params)
        title = ", ".join(_short(key, value) for key, value in trial.params.items())
        extra = ["test=false", f"name={quoted(title)}", *tracking.trial_overrides(config.logger)]
        if self.settings.pruner != "none":
            extra.append(self._pruning(trial.number))
        return PlannedJob(
            self.folder / str(trial.number),
            # Hydra's own come from the command that runs.
            (*(o for o in self.content["overrides"] if not o.startswith("hydra")), *own, *extra),
            title,
            f"trial {trial.number}",
        )

    def _pruning(self, number: int) -> str:
        """The override that gives a trial its `Pruning`."""
        pruning = {
            "_target_": "colorizer.sweeps.pruning.Pruning",
            "folder": quoted(str(self.folder.absolute())),
            "trial": number,
            "monitor": self.monitor,
            "pruner": self.settings.pruner,
            "startup_trials": self.settings.startup_trials,
        }
        return f"+callbacks.pruning={{{','.join(f'{k}:{v}' for k, v in pruning.items())}}}"

    def trial(self, number: int) -> Trial:
        """A trial by its number, to report to."""
        frozen = self.study.get_trials(deepcopy=False)[number]
        return Trial(self.study, frozen._trial_id)

    def _tell(self, trial: Trial, job: PlannedJob) -> None:
        value = open_run(job.folder).results[self.monitor] if job.state == "finished" else None
        if value is not None:
            self.study.tell(trial.number, value)
            return
        if job.state == "pruned":
            self.study.tell(trial.number, state=TrialState.PRUNED)
            return
        no_number = f"{job.label} failed: {self.monitor} is no number"
        trial.set_user_attr("error", no_number if job.state == "finished" else failure(job))
        self.study.tell(trial.number, state=TrialState.FAIL)

    # --- what came of it ---

    @property
    def over(self) -> bool:
        """True if there are as many trials as were asked for, and none is running."""
        running = self.study.get_trials(deepcopy=False, states=[TrialState.RUNNING])
        return not running and self.counted() >= self.settings.n_trials

    @property
    def failed(self) -> list[str]:
        """A line for each trial that crashed."""
        return [
            trial.user_attrs["error"]
            for trial in self.study.get_trials(deepcopy=False)
            if "error" in trial.user_attrs
        ]

    def test_best(self) -> None:
        """Score the best trial on the test set, when all trials are over."""
        with exclusively(self.folder):
            self._fail_abandoned()
            best = self.best()
            if best and self.over:
                test_run(open_run(best))

    def best(self) -> Path | None:
        """The run directory of the best trial; None where none is complete."""
        ranked = self._ranked()
        return self.folder / str(ranked[0].number) if ranked else None

    def _ranked(self) -> list[FrozenTrial]:
        complete = self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        sign = 1 if self.direction == "minimize" else -1
        return sorted(complete, key=lambda trial: sign * (trial.value or 0.0))

    def command(self, trial: FrozenTrial) -> str:
        """The command that trains a trial's settings again, as a run of its own."""
        overrides = [*self.content["overrides"], *_assignments(trial.params)]
        own = [o for o in overrides if not o.startswith(("hydra", "study=", "retry_failed="))]
        return shlex.join(["colorizer", "train", *own])

    def text(self) -> str:
        """The best trials, what became of the others, and the command of the best."""
        ranked = self._ranked()
        states = [trial.state for trial in self.study.get_trials(deepcopy=False)]
        counts = ", ".join(
            f"{states.count(state)} {word}"
            for state, word in (
                (TrialState.COMPLETE, "complete"),
                (TrialState.PRUNED, "pruned"),
                (TrialState.FAIL, "failed or interrupted"),
                (TrialState.RUNNING, "running"),
            )
            if state in states
        )
        text = f"\n{len(states)} trials in {self.folder}: {counts}"
        if not ranked:
            return text
        keys = sorted({key for trial in ranked for key in trial.params})
        lines = [
            [
                str(trial.number),
                *(_text(trial.params.get(key, "")) for key in keys),
                f"{trial.value:.6f}",
            ]
            for trial in ranked[:SHOWN]
        ]
        text += f"\n\n{text_table(['trial', *keys, self.monitor], lines)}"
        return f"{text}\n\nthe best again: {self.command(ranked[0])}"

    def figures(self) -> dict[str, Any]:
        """Optuna's plots of the history and of the parameters' importances, where there are any."""
        figures = {}
        if self._ranked():
            figures["history"] = optuna.visualization.plot_optimization_history(
                self.study, target_name=self.monitor
            )
        if len(self._ranked()) > 3 and len(self._parsed_space()) > 1:
            with contextlib.suppress(RuntimeError, ValueError):  # all values are the same
                figures["importances"] = optuna.visualization.plot_param_importances(
                    self.study,
                    evaluator=optuna.importance.PedAnovaImportanceEvaluator(),
                    target_name=self.monitor,
                )
        return figures

    def _parsed_space(self) -> dict[str, Override]:
        return {key: parsed([f"{key}={text}"])[0] for key, text in self.content["space"].items()}


def _assignments(params: Mapping[str, Any]) -> list[str]:
    # repr keeps every digit, so that the command of the best trial repeats it.
    return [f"{key}={_exact(value)}" for key, value in params.items()]


def _exact(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _short(key: str, value: Any) -> str:
    last = key.rpartition(".")[2]
    return _text(value) if key == "model" else f"{last}={_text(value)}"
