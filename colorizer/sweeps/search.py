"""Searching a space of settings with Optuna (Akiba et al. 2019).

A search lives in the folder of its sweep: `optuna.journal` holds the trials, `search.json` what is
searched, and the numbered folders the trials' runs. Optuna is imported by this module alone.
"""

import contextlib
import fcntl
import os
import shlex
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    RangeSweep,
)
from omegaconf import DictConfig, OmegaConf

from colorizer.config import Space, monitor_mode, quoted
from colorizer.console import complain, say, text_table
from colorizer.errors import UserError
from colorizer.evaluation import test_run
from colorizer.files import read_json, write_json
from colorizer.fingerprint import code_fingerprint
from colorizer.processes import process_lives, process_start
from colorizer.runs import INCIDENTAL, flat, open_run, recorded
from colorizer.sweeps.launchers import in_process, trials_at_once
from colorizer.sweeps.plan import SEARCH, PlannedJob
from colorizer.sweeps.run import failure, launch

try:
    import optuna
    from optuna.distributions import (
        BaseDistribution,
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import FrozenTrial, TrialState
except ImportError as error:
    raise UserError(
        "hydra/sweeper=optuna: Optuna is not installed: pip install 'colorizer[search]' "
        "(in a checkout: pip install -e '.[search]')"
    ) from error

JOURNAL = "optuna.journal"

# Of the trials, the best so many are printed.
SHOWN = 5


@dataclass(frozen=True)
class SearchSettings:
    """What `conf/hydra/sweeper/optuna.yaml` holds.

    Raises:
        UserError: a value that cannot be.
    """

    n_trials: int = 20
    sampler: Literal["tpe", "random"] = "tpe"
    pruner: Literal["median", "successive_halving", "none"] = "median"
    startup_trials: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for key, known in (("sampler", SAMPLERS), ("pruner", PRUNERS)):
            if getattr(self, key) not in known:
                raise UserError(
                    f"hydra.sweeper.{key}={getattr(self, key)}: there is {', '.join(known)}"
                )
        for key, least in (("n_trials", 1), ("startup_trials", 0), ("seed", 0)):
            value = getattr(self, key)
            if type(value) is not int or value < least:
                raise UserError(f"hydra.sweeper.{key}={value}: a whole number from {least}")


SAMPLERS = ("tpe", "random")
PRUNERS = ("median", "successive_halving", "none")


def make_pruner(name: str, startup_trials: int) -> optuna.pruners.BasePruner:
    """The pruner of that name; the steps that it sees are epochs."""
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=startup_trials)
    if name == "successive_halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    return optuna.pruners.NopPruner()


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
            storage=JournalStorage(JournalFileBackend(str(folder / JOURNAL))),
            direction=self.direction,
            load_if_exists=True,
        )

    @classmethod
    def set_up(cls, folder: Path, space: Space) -> None:
        """Write down what is searched, or check that it is what was searched before.

        Raises:
            UserError: the folder holds another search, or a sweep that is none.
        """
        config = space.sample.config
        written: Any = OmegaConf.to_container(recorded(config))
        fixed = {
            key: value for key, value in flat(written) if key.partition(".")[0] not in INCIDENTAL
        }
        content = {
            "monitor": config.monitor,
            "direction": {"min": "minimize", "max": "maximize"}[monitor_mode(config)],
            "space": {key: str(o.input_line).partition("=")[2] for key, o in space.swept.items()},
            "fixed": fixed,
            "overrides": space.fixed,
            "code": code_fingerprint(),
        }
        for override in space.swept.values():
            distribution(override)
        path = folder / SEARCH
        if not path.is_file():
            if folder.is_dir() and next(folder.glob("[0-9]*"), None):
                raise UserError(
                    f"{folder} holds a sweep that is no search; study=NAME starts another"
                )
            folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            if path.is_file():
                cls._compare(folder, read_json(path), content)
            # Of this command is what may differ: launcher, loggers, where the data is.
            write_json(path, content)

    @staticmethod
    def _compare(folder: Path, before: dict[str, Any], content: dict[str, Any]) -> None:
        if before["monitor"] != content["monitor"]:
            raise UserError(
                f"{folder} holds a search for {before['monitor']}, not {content['monitor']}; "
                "study=NAME starts another"
            )
        for what in ("space", "fixed"):
            for key in sorted({*before[what], *content[what]}):
                old, new = (str(c[what].get(key, "(nothing)")) for c in (before, content))
                if old != new:
                    raise UserError(
                        f"{folder} holds a search with {key}={old}, not {key}={new}: its trials "
                        "cannot be compared with new ones; study=NAME starts another search"
                    )
        if before["code"] != content["code"]:
            complain("the trials so far are of another version of the code")

    @classmethod
    def open(cls, folder: Path, settings: SearchSettings | None = None) -> "Search":
        """The search in a folder where `set_up` was."""
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
        self, at_once: int, distributions: Mapping[str, BaseDistribution]
    ) -> list[optuna.trial.Trial]:
        """Up to so many new trials; none when there are enough."""
        with _alone(self.folder):
            self._fail_abandoned()
            count = self.counted()
            # Another sampler for each command: the same would propose the same again.
            startup, seed = self.settings.startup_trials, self.settings.seed + count
            self.study.sampler = (
                optuna.samplers.TPESampler(
                    n_startup_trials=startup, seed=seed, constant_liar=True, multivariate=True
                )
                if self.settings.sampler == "tpe"
                else optuna.samplers.RandomSampler(seed=seed)
            )
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
                complain(f"trial {trial.number} was left running by a process that is gone")
                self.study.tell(trial.number, state=TrialState.FAIL)

    def _job(self, trial: optuna.trial.Trial, config: DictConfig) -> PlannedJob:
        own = _assignments(trial.params)
        title = ", ".join(_short(key, value) for key, value in trial.params.items())
        extra = ["test=false", f"name={quoted(title)}"]
        if self.settings.pruner != "none":
            pruning = {
                "_target_": "colorizer.callbacks.Pruning",
                "folder": quoted(str(self.folder.absolute())),
                "trial": trial.number,
                "monitor": self.monitor,
                "pruner": self.settings.pruner,
                "startup_trials": self.settings.startup_trials,
            }
            values = ",".join(f"{key}:{value}" for key, value in pruning.items())
            extra.append(f"+callbacks.pruning={{{values}}}")
        if "wandb" in (config.logger or {}):
            extra.append("logger.wandb.job_type=trial")
        return PlannedJob(
            self.folder / str(trial.number),
            # Hydra's own come from the command that runs.
            (*(o for o in self.content["overrides"] if not o.startswith("hydra")), *own, *extra),
            title,
            f"trial {trial.number}",
        )

    def _tell(self, trial: optuna.trial.Trial, job: PlannedJob) -> None:
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
        """Whether there are as many trials as were asked for, and none is running."""
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
        with _alone(self.folder):
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
        """What trains a trial's settings again, as a run of its own."""
        overrides = [*self.content["overrides"], *_assignments(trial.params)]
        own = [o for o in overrides if not o.startswith(("hydra", "study=", "retry_failed="))]
        return shlex.join(["colorizer", "train", *own])

    def say_best(self) -> None:
        """Print the best trials, what became of the others, and the command of the best."""
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
        say(f"\n{len(states)} trials in {self.folder}: {counts}")
        if not ranked:
            return
        keys = sorted({key for trial in ranked for key in trial.params})
        lines = [
            [
                str(trial.number),
                *(_text(trial.params.get(key, "")) for key in keys),
                f"{trial.value:.6f}",
            ]
            for trial in ranked[:SHOWN]
        ]
        say(f"\n{text_table(['trial', *keys, self.monitor], lines)}")
        say(f"\nthe best again: {self.command(ranked[0])}")

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
        from colorizer.config import parsed

        return {key: parsed([f"{key}={text}"])[0] for key, text in self.content["space"].items()}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time sets up, counts and asks, or tests."""
    with (folder / ".searching").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def distribution(override: Override) -> BaseDistribution:
    """Optuna's distribution of an override with several values.

    Raises:
        UserError: a space that Optuna cannot search.
    """
    space = override.value()
    line = override.input_line
    try:
        if isinstance(space, IntervalSweep):
            log = "log" in space.tags
            low, high = space.start, space.end
            assert low is not None
            assert high is not None
            whole = isinstance(low, int) and isinstance(high, int) and "float" not in space.tags
            return (
                IntDistribution(int(low), int(high), log=log)
                if whole
                else FloatDistribution(float(low), float(high), log=log)
            )
        if isinstance(space, RangeSweep):
            if all(isinstance(n, int) for n in (space.start, space.stop, space.step)):
                values = list(range(int(space.start), int(space.stop), int(space.step)))  # type: ignore[arg-type]
                return IntDistribution(min(values), max(values), step=abs(int(space.step)))
            values_text = list(override.sweep_string_iterator())
            return CategoricalDistribution(values_text)
        if isinstance(space, ChoiceSweep):
            return CategoricalDistribution(list(override.sweep_string_iterator()))
    except ValueError as error:
        raise UserError(f"override {line!r}: {error}") from error
    raise UserError(f"override {line!r}: not a space that can be searched")


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
