"""Sampler, pruner and distributions of a search. Optuna is imported here alone."""

import fcntl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep

from colorizer.errors import UserError, in_a_line, not_installed

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
    from optuna.storages.journal._file import BaseJournalFileLock, get_lock_file
    from optuna.trial import FrozenTrial, Trial, TrialState
except ImportError as error:
    raise UserError(not_installed("hydra/sweeper=optuna: Optuna", "search")) from error

__all__ = [
    "Direction",
    "FrozenTrial",
    "SearchSettings",
    "Trial",
    "TrialState",
    "distribution",
    "make_pruner",
    "make_sampler",
    "open_study",
    "optuna",
]

Direction = Literal["minimize", "maximize"]

SAMPLERS = ("tpe", "random")
PRUNERS = ("median", "successive_halving", "hyperband", "none")


@dataclass(frozen=True)
class SearchSettings:
    """The settings of `conf/hydra/sweeper/optuna.yaml`.

    Args:
        n_trials: in all.
        sampler: of `SAMPLERS`.
        pruner: of `PRUNERS`; None: the median, or none of several objectives.
        startup_trials: at random before `tpe` takes over, and before the median prunes.
        seed: of the sampler.
        seeds: to race the best trials over, at most, the search's own among them; 1: no race.
        objectives: metrics, at least two; None: the monitored one.

    Raises:
        UserError: a value that cannot be.
    """

    n_trials: int = 20
    sampler: Literal["tpe", "random"] = "tpe"
    pruner: Literal["median", "successive_halving", "hyperband", "none"] | None = None
    startup_trials: int = 5
    seed: int = 0
    seeds: int = 1
    objectives: Sequence[str] | None = None

    def __post_init__(self) -> None:
        for key, known in (("sampler", SAMPLERS), ("pruner", (*PRUNERS, None))):
            if getattr(self, key) not in known:
                raise UserError(
                    f"hydra.sweeper.{key}={getattr(self, key)}: there is "
                    f"{', '.join(filter(None, known))}"
                )
        for key, least in (("n_trials", 1), ("startup_trials", 0), ("seed", 0), ("seeds", 1)):
            value = getattr(self, key)
            if type(value) is not int or value < least:
                raise UserError(f"hydra.sweeper.{key}={value}: a whole number from {least}")
        if self.seeds == 2:
            raise UserError(
                "hydra.sweeper.seeds=2: 1, or from 3 on, since the first chooses who takes part"
            )
        if self.objectives is not None:
            self._check_objectives()

    def _check_objectives(self) -> None:
        names = [] if isinstance(self.objectives, str | int | float) else self.objectives or []
        if len(names) < 2 or len({str(name) for name in names}) < len(names):
            raise UserError(
                f"hydra.sweeper.objectives={self.objectives}: two metrics or more, such as "
                "[val/mse,train/seconds]"
            )
        for key, usual in (("pruner", (None, "none")), ("seeds", (1,))):
            if getattr(self, key) not in usual:
                raise UserError(
                    f"hydra.sweeper.{key}={getattr(self, key)}: not with several objectives, since "
                    "none of them says alone which trial is better"
                )

    @property
    def pruned_by(self) -> str:
        """The pruner, the usual one where none is named."""
        return self.pruner or ("none" if self.objectives else "median")


class JournalLock(BaseJournalFileLock):
    """Keeps other processes from a journal, until it is released or this process ends.

    Optuna's own locks are links, which stay behind when a process is killed: others then wait for
    half a minute, and for ever where the journal's path is relative.

    Args:
        journal: the file.
    """

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(f".{journal.name}.lock")
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        self.release()
        file = self._path.open("a")
        # Not flock: after a signal between two lines of Optuna's, this process would wait for
        # itself.
        fcntl.lockf(file, fcntl.LOCK_EX)
        self._file = file
        return True

    def release(self) -> None:
        """Let others have it."""
        if self._file:
            self._file.close()
            self._file = None


def open_study(path: Path, name: str, directions: Sequence[Direction]) -> optuna.Study:
    """The trials in a file that several processes may write to.

    A last line that is not whole, as a full disk or a killed process leaves it, is cut off: what
    is written next would stand on the same line.

    Raises:
        UserError: the file is damaged elsewhere.
    """
    lock = JournalLock(path)
    if path.is_file():
        with get_lock_file(lock), path.open("r+b") as file:
            content = file.read()
            file.truncate(content.rfind(b"\n") + 1)
    try:
        storage = JournalStorage(JournalFileBackend(str(path), lock))
        study = optuna.create_study(
            study_name=name, storage=storage, directions=list(directions), load_if_exists=True
        )
        counts = {len(trial.values or directions) for trial in study.get_trials(deepcopy=False)}
        if counts - {len(directions)}:
            raise ValueError(f"a trial whose values are not {len(directions)}")
        return study
    except OSError:
        raise
    except Exception as error:  # Optuna has no error of its own for it
        raise UserError(
            f"{path} is damaged: {in_a_line(error)}; study=NAME starts another search"
        ) from error


def make_pruner(name: str, startup_trials: int, epochs: int) -> optuna.pruners.BasePruner:
    """The pruner of that name; the steps that it sees are epochs.

    `successive_halving` is asynchronous (ASHA, Li et al. 2020); `hyperband` runs several of it that
    begin to prune at different epochs (Li et al. 2018).

    Args:
        name: of `PRUNERS`.
        startup_trials: none is pruned by the median before as many have finished.
        epochs: of a whole trial.
    """
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=startup_trials)
    if name == "successive_halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner(1, max(1, epochs), reduction_factor=3)
    return optuna.pruners.NopPruner()


def make_sampler(settings: SearchSettings, trials: int) -> optuna.samplers.BaseSampler:
    """The sampler; of another seed after more trials, or it would propose the same ones again."""
    seed = settings.seed + trials
    if settings.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(
        n_startup_trials=settings.startup_trials, seed=seed, constant_liar=True, multivariate=True
    )


def distribution(override: Override) -> BaseDistribution:
    """The distribution of an override with several values.

    Raises:
        UserError: a space that Optuna cannot search.
    """
    space = override.value()
    try:
        if isinstance(space, IntervalSweep):
            return _interval(space)
        if isinstance(space, RangeSweep) and all(
            isinstance(n, int) for n in (space.start, space.stop, space.step)
        ):
            values = range(int(space.start), int(space.stop), int(space.step))  # type: ignore[arg-type]
            return IntDistribution(min(values), max(values), step=abs(values.step))
        if isinstance(space, ChoiceSweep | RangeSweep):
            return CategoricalDistribution(list(override.sweep_string_iterator()))
    except ValueError as error:
        raise UserError(f"override {override.input_line!r}: {error}") from error
    raise UserError(f"override {override.input_line!r}: not a space that can be searched")


def _interval(space: IntervalSweep) -> BaseDistribution:
    low, high = space.start, space.end
    assert low is not None
    assert high is not None
    log = "log" in space.tags
    if isinstance(low, int) and isinstance(high, int) and "float" not in space.tags:
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(float(low), float(high), log=log)
