"""Searching a space of settings with Optuna (Akiba et al. 2019).

A search lives in the folder of its sweep: `optuna.journal` holds the trials, `search.json` what is
searched, and the numbered folders the trials' runs.
"""

import logging
import os
import shlex
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from colorizer import tracking
from colorizer.config import parsed, quoted
from colorizer.errors import RunError
from colorizer.evaluation import test_run
from colorizer.files import read_object
from colorizer.processes import process_lives, process_start
from colorizer.runs import open_run
from colorizer.sweeps.contents import SearchContent
from colorizer.sweeps.launchers import in_process, trials_at_once
from colorizer.sweeps.plan import PENDING, SEARCH, PlannedJob
from colorizer.sweeps.run import failure, launch
from colorizer.sweeps.search_settings import (
    Direction,
    FrozenTrial,
    SearchSettings,
    Trial,
    TrialState,
    distribution,
    make_sampler,
    open_study,
    optuna,
)
from colorizer.sweeps.search_setup import exclusively
from colorizer.sweeps.trial_texts import assignments, short_text

log = logging.getLogger(__name__)

JOURNAL = "optuna.journal"


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
        self.direction: Direction = content["direction"]
        self.objectives: dict[str, Direction] = content.get("objectives") or {
            self.monitor: self.direction
        }
        self.study = open_study(folder / JOURNAL, folder.name, list(self.objectives.values()))

    @classmethod
    def open(cls, folder: Path, settings: SearchSettings | None = None) -> "Search":
        """The search in a folder that `set_up` has prepared."""
        return cls(folder, read_object(folder / SEARCH, SearchContent), settings)

    @property
    def sign(self) -> int:
        """1 where less of the first objective is better, -1 where more is."""
        return 1 if self.direction == "minimize" else -1

    # --- running trials ---

    def run(self, launcher: Any) -> None:
        """Run trials until there are `n_trials` that count, beside whoever else does.

        Raises:
            RunError: the disk is full; the trials that it stopped are gone on with.
        """
        distributions = {
            key: distribution(override) for key, override in self.parsed_space().items()
        }
        alone = in_process(launcher.config.hydra.launcher)
        at_once = 1 if alone else trials_at_once(launcher.config.hydra.launcher)
        while trials := self._next(at_once, distributions):
            jobs = [self._job(trial, launcher.config) for trial in trials]
            both = list(zip(trials, jobs, strict=True))
            try:
                launch(launcher, [job for job in jobs if job.state in PENDING])
            except BaseException:
                # A job of this process is over, even if it had no time to say so.
                later = (*PENDING, "running") if alone else PENDING
                for trial, job in both:
                    self._tell(trial, job, later)
                raise
            if stopped := [job for trial, job in both if not self._tell(trial, job)]:
                error = stopped[0].status.get("error", "its process was killed")
                raise RunError(f"{stopped[0].label} was stopped: {error}")

    def _next(
        self, at_once: int, distributions: Mapping[str, optuna.distributions.BaseDistribution]
    ) -> list[Trial]:
        """The trials to run together: those whose process is gone, and new ones; none at the end.

        After an interruption no more are added than were to run together, so that a search draws
        the same trials as if it had not been interrupted.
        """
        with exclusively(self.folder):
            trials = [self._asked(n, distributions) for n in self._abandoned()]
            count = self.counted()
            room = max(0, self.settings.n_trials - count)
            owner = [socket.gethostname(), os.getpid(), process_start(os.getpid())]
            for trial in trials:
                trial.set_user_attr("owner", owner)
            more = min(room, -count % at_once if trials else at_once)
            return [*trials, *(self._new(distributions, owner) for _ in range(more))]

    def _new(
        self, distributions: Mapping[str, optuna.distributions.BaseDistribution], owner: list[Any]
    ) -> Trial:
        """A new trial, written down with all of its values at once: no kill leaves a part of them.

        They are drawn with a seed of the trial's own, so that they depend on nothing but the
        others' outcomes.
        """
        before = self.study.get_trials(deepcopy=False)
        draft = optuna.create_study(
            directions=self.study.directions, sampler=make_sampler(self.settings, len(before))
        )
        draft.add_trials(before)
        values = draft.ask(dict(distributions)).params
        self.study.add_trial(
            optuna.create_trial(
                state=TrialState.RUNNING,
                params=values,
                distributions=dict(distributions),
                user_attrs={"owner": owner},
            )
        )
        return self.trial(len(before))

    def _asked(
        self, number: int, distributions: Mapping[str, optuna.distributions.BaseDistribution]
    ) -> Trial:
        """A trial that was asked for before, with what its process had no time to write down."""
        self.study.sampler = make_sampler(self.settings, number)
        trial = self.trial(number)
        for name, values in distributions.items():
            trial._suggest(name, values)
        return trial

    def _abandoned(self) -> list[int]:
        """The running trials whose process is gone."""
        numbers = []
        for trial in self.study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            host, pid, start = trial.user_attrs.get("owner") or (socket.gethostname(), 0, None)
            if host == socket.gethostname() and not process_lives(pid, start):
                numbers.append(trial.number)
        return numbers

    def counted(self) -> int:
        """Trials that count: all but those that were interrupted."""
        return sum(
            trial.state != TrialState.FAIL or "error" in trial.user_attrs
            for trial in self.study.get_trials(deepcopy=False)
        )

    def _job(self, trial: Trial, config: DictConfig) -> PlannedJob:
        """The job of a trial."""
        job = self.job(trial, self.folder / str(trial.number), config)
        if self.settings.pruned_by == "none":
            return job
        return replace(job, overrides=(*job.overrides, self._pruning(trial.number)))

    def job(
        self,
        trial: Trial | FrozenTrial,
        folder: Path,
        config: DictConfig,
        varied: Sequence[str] = (),
    ) -> PlannedJob:
        """A job with the settings of a trial.

        Args:
            trial: of this search.
            folder: the run directory.
            config: of the command that runs it.
            varied: overrides that tell it from the trial's own job.
        """
        values = (short_text(key, value) for key, value in trial.params.items())
        title = ", ".join([*values, *varied])
        # Whether a trial may go on after the code has changed, was settled as the search was.
        fixed = ["test=false", "resume=anyway", f"name={quoted(title)}"]
        # Hydra's own come from the command that runs.
        common = [o for o in self.content["overrides"] if not o.startswith("hydra")]
        extra = [*fixed, *tracking.trial_overrides(config.logger), *varied]
        every = (*common, *assignments(trial.params), *extra)
        return PlannedJob(folder, every, title, f"trial {trial.number}")

    def _pruning(self, number: int) -> str:
        """The override that gives a trial its `Pruning`."""
        pruning = {
            "_target_": "colorizer.sweeps.pruning.Pruning",
            "folder": quoted(str(self.folder.absolute())),
            "trial": number,
            "monitor": self.monitor,
            "pruner": self.settings.pruned_by,
            "startup_trials": self.settings.startup_trials,
        }
        return f"+callbacks.pruning={{{','.join(f'{k}:{v}' for k, v in pruning.items())}}}"

    def trial(self, number: int) -> Trial:
        """A trial by its number, to report to."""
        frozen = self.study.get_trials(deepcopy=False)[number]
        return Trial(self.study, frozen._trial_id)

    def reported(self, number: int) -> list[int]:
        """The epochs that a trial has reported."""
        return list(self.study.get_trials(deepcopy=False)[number].intermediate_values)

    def _tell(self, trial: Trial, job: PlannedJob, later: Sequence[str] = ("interrupted",)) -> bool:
        """Write down how a trial ended; False in the states in which it is gone on with later."""
        state = job.state
        if state == "finished":
            results = open_run(job.folder).results
            values = [v for name in self.objectives if (v := results.get(name)) is not None]
            if len(values) == len(self.objectives):
                self.study.tell(trial.number, values)
                return True
        if state == "pruned":
            self.study.tell(trial.number, state=TrialState.PRUNED)
            return True
        if state in later:
            trial.set_user_attr("owner", None)
            return False
        no_number = f"{job.label} failed: {' or '.join(self.objectives)} is no number"
        trial.set_user_attr("error", no_number if state == "finished" else failure(job))
        self.study.tell(trial.number, state=TrialState.FAIL)
        return True

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
        """Score the best trials on the test set, when all trials are over."""
        with exclusively(self.folder):
            if self.over:
                for trial in self.front():
                    test_run(open_run(self.folder / str(trial.number)))

    def best(self) -> Path | None:
        """The run directory of the best trial; None where none is complete."""
        ranked = self.ranked()
        return self.folder / str(ranked[0].number) if ranked else None

    def front(self) -> list[FrozenTrial]:
        """The best trial; of several objectives those that no other is better than in all."""
        if len(self.objectives) == 1:
            return self.ranked()[:1]
        front = {trial.number for trial in self.study.best_trials}
        return [trial for trial in self.ranked() if trial.number in front]

    def ranked(self) -> list[FrozenTrial]:
        """The complete trials, the best first by the first objective."""
        complete = self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        return sorted(complete, key=lambda trial: self.sign * trial.values[0])

    def command(self, trial: FrozenTrial) -> str:
        """The command that trains a trial's settings again, as a run of its own."""
        overrides = [*self.content["overrides"], *assignments(trial.params)]
        own = [o for o in overrides if not o.startswith(("hydra", "study=", "retry_failed="))]
        return shlex.join(["colorizer", "train", *own])

    def parsed_space(self) -> dict[str, Override]:
        """The overrides with several values, by key."""
        return {key: parsed([f"{key}={text}"])[0] for key, text in self.content["space"].items()}
