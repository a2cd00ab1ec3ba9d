"""Kills commands at random times, and compares what is left with a whole one."""

import contextlib
import json
import math
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from colorizer.console import say, text_table
from tests.conftest import HAS_CIFAR10
from tests.soak.processes import Process
from tests.soak.scenarios import SCENARIOS, SMALL, Scenario
from tests.soak.snapshots import differences, snapshot

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
SHARES = (0.7, 0.15, 0.15)
# Exit statuses of a command that got one: it ended by it in order, before it could, or was through.
EXPECTED = {
    signal.SIGKILL: (-9, 0),
    signal.SIGTERM: (75, -15, 0),
    signal.SIGINT: (130, -2, 0),
}
# Seconds for a command that was not killed, or asked to end; for what it started, to end by itself.
LONGEST, ORPHANS = 240.0, 45.0


@dataclass
class Tally:
    """What became of one command."""

    killed: Counter[str] = field(default_factory=Counter)
    survived: int = 0
    ended: int = 0
    differing: int = 0
    faults: int = 0


class _Attempt(NamedTuple):
    """What became of one start of a command."""

    kills: int
    through: bool
    fault: str


class Campaign:
    """Kills commands in a folder of its own.

    Args:
        folder: holds a folder for each case, those of failing ones in the end.
        seed: of the random times and signals.
        fresh: the share of starts that are a fresh Python and not a fork; 0: none is.
        most: kills after which a command is left alone.
    """

    def __init__(self, folder: Path, seed: int, fresh: float, most: int) -> None:
        self.folder = folder
        self.seed = seed
        self.fresh = fresh
        self.most = most
        self.tallies: dict[str, Tally] = {}
        self._wholes: dict[str, dict[str, str]] = {}
        self._seconds: dict[tuple[str, bool], float] = {}
        self._log = (folder / "attempts.jsonl").open("a", buffering=1)
        self.trained = folder / "trained" / "run"
        self.trained.parent.mkdir()
        arguments = ("train", *SMALL, "model=cnn", "hydra.run.dir=run")
        with self._process(Scenario(arguments, 0), self.trained.parent, fresh=False) as process:
            if not process.wait(LONGEST) or process.status:
                raise RuntimeError(f"the training for other commands failed: {process.status}")

    def run(self, names: Sequence[str], kills: int, minutes: float = math.inf) -> None:
        """Kill commands so often in all, each by its share; begin none after so many minutes."""
        end = time.monotonic() + 60 * minutes
        random_names = random.Random(self.seed)
        weights = [SCENARIOS[name].weight for name in names]
        cases: Counter[str] = Counter()
        first = list(names)
        while first or self._killed() < kills:
            if time.monotonic() > end:
                return
            name = first.pop(0) if first else random_names.choices(names, weights)[0]
            self.case(name, cases[name])
            cases[name] += 1

    def _killed(self) -> int:
        return sum(tally.killed.total() for tally in self.tallies.values())

    def case(self, name: str, number: int) -> None:
        """Run a command until it is through, killed on the way, and compare."""
        scenario, tally = SCENARIOS[name], self.tallies.setdefault(name, Tally())
        if name not in self._wholes and (fault := self._whole(name, scenario.fresh)):
            tally.faults += 1
            say(f"{name}, undisturbed: {fault}")
            return
        chance = random.Random(f"{self.seed} {name} {number}")
        folder = self._begin(scenario, f"{_plain(name)}-{number}")
        kills = 0
        for attempt in range(self.most + 1):
            done = self._attempt(name, folder, chance, attempt)
            kills += done.kills
            if done.fault or done.through:
                break
        fault = done.fault
        found = [] if fault else differences(self._wholes[name], snapshot(folder))
        tally.ended += not fault
        tally.faults += bool(fault)
        tally.differing += len(found)
        tally.survived += 0 if fault or found else kills
        if fault or found:
            self._note(name, case=number, fault=fault, differences=found[:20])
            say(f"{name}, case {number}: {fault or found[:5]}; kept in {folder}")
        else:
            shutil.rmtree(folder)

    def _whole(self, name: str, fresh: bool) -> str:
        """Run a command undisturbed, as a fresh Python or as a fork; what is wrong with it."""
        scenario = SCENARIOS[name]
        folder = self._begin(scenario, f"{_plain(name)}-whole-{'fresh' if fresh else 'fork'}")
        with self._process(scenario, folder, fresh) as process:
            process.wait(LONGEST)
            self._seconds[name, fresh] = process.seconds
        if process.status != 0:
            return f"status {process.status} in {folder}"
        found = snapshot(folder)
        wrong = differences(self._wholes.setdefault(name, found), found)
        return f"a fork and a fresh Python differ: {wrong[:5]}" if wrong else ""

    def _begin(self, scenario: Scenario, name: str) -> Path:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        scenario.prepare(folder, self.trained)
        return folder

    @contextlib.contextmanager
    def _process(self, scenario: Scenario, folder: Path, fresh: bool) -> Iterator[Process]:
        cache = folder / "cache" if scenario.own_cache else self.folder / "cache"
        environment = {"XDG_CACHE_HOME": str(cache), "WANDB_MODE": "offline"}
        process = Process(scenario.arguments, folder, environment, fresh, folder / "log.txt")
        try:
            yield process
        finally:
            process.end()

    def _attempt(self, name: str, folder: Path, chance: random.Random, attempt: int) -> "_Attempt":
        """Begin or go on with a command, and kill it."""
        scenario = SCENARIOS[name]
        fresh = scenario.fresh or chance.random() < self.fresh
        (number,) = chance.choices(SIGNALS, SHARES)
        if (name, fresh) not in self._seconds and (fault := self._whole(name, fresh)):
            return _Attempt(0, False, f"undisturbed: {fault}")
        after = chance.uniform(0, scenario.span * self._seconds[name, fresh])
        whom = chance.choice(("group", "parent", *(["worker"] if scenario.workers else [])))
        note: dict[str, Any] = {"case": folder.name, "attempt": attempt, "fresh": fresh}
        with self._process(scenario, folder, fresh) as process:
            expected: tuple[int, ...] = (0,)
            kills, longest = 0, LONGEST
            if attempt < self.most and not process.wait(after):
                note |= {"signal": number.name, "whom": whom, "after": round(after, 3)}
                if whom == "worker":
                    number, kills = signal.SIGKILL, self._kill_worker(process, scenario, chance)
                    # A launcher goes on by itself with what the worker did; a training fails, or is
                    # killed by Lightning.
                    expected = (0, 1, -9) if kills and scenario.fresh else (0,)
                else:
                    process.send(number, group=whom == "group")
                    kills, expected, longest = 1, EXPECTED[number], 60.0
                self.tallies[name].killed[number.name] += kills
            fault = _fault(process, process.wait(longest), expected)
            self._note(name, **note, seconds=round(process.seconds, 3), status=process.status,
                       kills=kills, fault=fault)  # fmt: skip
            return _Attempt(kills, process.status == 0, fault)

    def _kill_worker(self, process: Process, scenario: Scenario, chance: random.Random) -> int:
        workers = [p for p, line in process.others().items() if scenario.workers in line]
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(sorted(workers)), signal.SIGKILL)
        return int(bool(workers))

    def _note(self, name: str, **what: Any) -> None:
        self._log.write(json.dumps({"at": time.time(), "command": name, **what}) + "\n")

    def table(self) -> str:
        """Every command with its kills and what came of them."""
        titles = ["command", *(s.name for s in SIGNALS), "survived", "cases", "faults", "differing"]
        lines = [_line(name, tally) for name, tally in self.tallies.items()]
        total = Tally()
        for tally in self.tallies.values():
            total.killed += tally.killed
            for key in ("survived", "ended", "differing", "faults"):
                setattr(total, key, getattr(total, key) + getattr(tally, key))
        return text_table(titles, [*lines, _line("all", total)])

    @property
    def failed(self) -> bool:
        """Whether anything was lost, refused or hung."""
        return any(tally.differing or tally.faults for tally in self.tallies.values())


def runnable(only: Sequence[str] = ()) -> list[str]:
    """The commands that can be run here, whose names match one of some patterns: `train*`."""
    return [
        name
        for name, scenario in SCENARIOS.items()
        if any(fnmatch(name, pattern) for pattern in only or ["*"])
        and (HAS_CIFAR10 or not scenario.needs_data)
    ]


def _fault(process: Process, ended: bool, expected: tuple[int, ...]) -> str:
    if not ended:
        return "hung"
    if process.status not in expected and not process.stopped_in_pythons_start:
        return f"status {process.status}, not {' or '.join(map(str, expected))}"
    return "" if process.are_others_gone(ORPHANS) else "left processes behind"


def _line(name: str, tally: Tally) -> list[str]:
    counts = [tally.killed[s.name] for s in SIGNALS]
    return [name, *map(str, (*counts, tally.survived, tally.ended, tally.faults, tally.differing))]


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)
