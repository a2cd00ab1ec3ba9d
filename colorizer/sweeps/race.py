"""Racing the best trials of a search over seeds, until one is left or the seeds are used up.

The seed of the search chooses who takes part, so it is no evidence: whoever was lucky with it would
be ahead. From the second further seed on, who is told to be worse than the leader drops out (Maron
and Moore 1994; Birattari et al. 2002, "A Racing Algorithm for Configuring Metaheuristics").

The runs lie in `seeds/SEED/TRIAL` of the search's folder, and differ from the trials' in their seed
alone.
"""

import contextlib
import fcntl
import logging
import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from colorizer.errors import RunError
from colorizer.evaluation import test_run
from colorizer.runs import Run, find_runs, open_run
from colorizer.statistics import Standing, standings
from colorizer.sweeps.plan import PENDING, SETTLED, PlannedJob
from colorizer.sweeps.run import launch
from colorizer.sweeps.search import Search
from colorizer.sweeps.search_settings import FrozenTrial
from colorizer.sweeps.search_setup import exclusively
from colorizer.sweeps.trial_texts import value_text

log = logging.getLogger(__name__)

# Below the folder of a search.
SEEDS = "seeds"

# Of the complete trials one in so many takes part, and so many at least.
SHARE, LEAST = 4, 2


@dataclass(frozen=True)
class Racer:
    """A trial in a race.

    Args:
        trial: with its value of the search's own seed.
        values: of the further seeds, by seed.
        standing: among the others; None where too little is known.
    """

    trial: FrozenTrial
    values: dict[int, float]
    standing: Standing | None

    @property
    def mean(self) -> float:
        """Of the further seeds."""
        return statistics.mean(self.values.values())


class Race:
    """A race between the trials of a search.

    Args:
        search: whose trials are over.
    """

    def __init__(self, search: Search) -> None:
        self.search = search
        self.folder = search.folder / SEEDS

    def run(self, launcher: Any, seeds: int) -> None:
        """Run the rounds that are left; nothing if another process does.

        Args:
            launcher: Hydra's, set up.
            seeds: at most, the search's own among them.

        Raises:
            RunError: a run was stopped.
        """
        with self._alone() as alone:
            if not alone:
                log.warning(f"another process runs the race in {self.folder}")
                return
            for seed, trials in self._rounds(seeds):
                jobs = [self._job(trial, seed, launcher.config) for trial in trials]
                todo = [job for job in jobs if job.state in PENDING]
                if todo:
                    log.info(f"\nseed {seed}: {len(trials)} trials in the race")
                launch(launcher, todo)
                if stopped := [job for job in jobs if job.state not in SETTLED]:
                    raise RunError(f"{stopped[0].label} was stopped: the same command goes on")

    def _rounds(self, seeds: int) -> Iterator[tuple[int, list[FrozenTrial]]]:
        """The seeds, and who takes part; the next round depends on the runs of the one before."""
        ranked = self.search.ranked()
        # The same settings twice would be the same run twice.
        distinct = list({str(sorted(t.params.items())): t for t in reversed(ranked)}.values())
        trials = distinct[::-1][: max(LEAST, math.ceil(len(ranked) / SHARE))]
        first = int(self.search.content["fixed"]["seed"])
        for seed in range(first + 1, first + seeds):
            if len(trials) < LEAST:
                return
            yield seed, trials
            racers = {racer.trial.number: racer for racer in self.racers(until=seed)}
            trials = [trial for trial in trials if _stays(racers.get(trial.number), seed)]

    def over(self, seeds: int) -> bool:
        """True if no run of the race is left."""
        return self.search.over and all(
            PlannedJob(self._place(trial, seed), (), "", "").state in SETTLED
            for seed, trials in self._rounds(seeds)
            for trial in trials
        )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """True for one process at a time."""
        with (self.search.folder / ".racing").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _place(self, trial: FrozenTrial, seed: int) -> Path:
        return self.folder / str(seed) / str(trial.number)

    def _job(self, trial: FrozenTrial, seed: int, config: DictConfig) -> PlannedJob:
        return self.search.job(trial, self._place(trial, seed), config, [f"seed={seed}"])

    # --- what came of it ---

    def racers(self, until: int | None = None) -> list[Racer]:
        """Who takes part, the best first: those that are in it to the end come before the others.

        Args:
            until: the last seed that counts; None: all.
        """
        values = {
            key: value for key, value in self._values().items() if until is None or key[1] <= until
        }
        sign = self.search.sign
        known = standings({key: sign * value for key, value in values.items()})
        racers = []
        for trial in self.search.ranked():
            own = {seed: value for (n, seed), value in values.items() if n == trial.number}
            if own:
                racers.append(Racer(trial, own, known.get(trial.number)))
        most = max((len(racer.values) for racer in racers), default=0)
        return sorted(
            racers,
            key=lambda r: (
                len(r.values) < most,
                r.standing.effect if r.standing else sign * r.mean,
            ),
        )

    def _values(self) -> dict[tuple[int, int], float]:
        """The metric of the finished runs, by trial and seed."""
        found = {}
        for run in self._runs("finished"):
            value = run.results.get(self.search.monitor)
            if value is not None:
                found[int(run.folder.name), int(run.folder.parent.name)] = float(value)
        return found

    def _runs(self, state: str) -> list[Run]:
        """The runs in a state."""
        folders = [f for f in find_runs(self.folder) if f.name.isdecimal()]
        runs = [open_run(f) for f in folders if f.parent.name.isdecimal()]
        return [run for run in runs if run.state == state]

    @property
    def failed(self) -> list[str]:
        """A line for each run that failed."""
        lines = []
        for run in self._runs("failed"):
            error = str(run.status.get("error") or "its process was killed").strip()
            of = f"trial {run.folder.name} with seed {run.folder.parent.name}"
            lines.append(f"{of} failed: {error.splitlines()[-1]}")
        return lines

    def test_winner(self) -> None:
        """Score the winner's runs on the test set, one for each seed."""
        with exclusively(self.search.folder):
            for racer in self.racers()[:1]:
                test_run(open_run(self.search.folder / str(racer.trial.number)))
                for seed in racer.values:
                    test_run(open_run(self._place(racer.trial, seed)))


def _stays(racer: Racer | None, seed: int) -> bool:
    """True for a trial that has a result of the seed, and is not told to be worse."""
    if racer is None or seed not in racer.values:
        return False
    return racer.standing is None or not racer.standing.told_apart


def race_lines(racers: list[Racer], monitor: str) -> tuple[list[str], list[list[str]]]:
    """A table of a race: its titles and its rows."""
    keys = sorted({key for racer in racers for key in racer.trial.params})
    titles = ["trial", *keys, f"{monitor}, first seed", "further seeds", "n", "best", "worse"]
    rows = []
    for racer in racers:
        values, standing = list(racer.values.values()), racer.standing
        rows.append(
            [
                str(racer.trial.number),
                *(value_text(racer.trial.params.get(key, "")) for key in keys),
                f"{racer.trial.value:.6f}",
                f"{racer.mean:.6f}"
                + (f" ±{statistics.stdev(values):.6f}" if len(values) > 1 else ""),
                str(len(values)),
                f"{standing.best:.2f}" if standing else "",
                "" if not standing or standing.p is None else f"p={standing.p:.3f}",
            ]
        )
    return titles, rows


def verdict(racers: list[Racer]) -> str:
    """Who won, with which probability, and who cannot be told from the winner."""
    if not racers:
        return ""
    winner, *others = racers
    if winner.standing is None:
        return "too few runs to say which is the best"
    near = [r.trial.number for r in others if r.standing and not r.standing.told_apart]
    text = f"trial {winner.trial.number} is the best with probability {winner.standing.best:.2f}"
    if not near:
        return f"{text}; all others in the race are told to be worse"
    names = ", ".join(map(str, near))
    return f"{text}; trial{'s' * (len(near) > 1)} {names} cannot be told from it"
