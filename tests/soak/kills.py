"""Kills commands at random times, and compares what is left with a whole one."""

import contextlib
import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
# Of attempts that run as a fresh Python and not as a fork.
FRESH = 0.05
# Kills after which a command is left alone.
MOST = 15
# Seconds for a command that was not killed, or asked to end; for what it started, to end by itself.
LONGEST, ORPHANS = 180.0, 20.0


@dataclass
class Tally:
    """What became of one command."""

    killed: Counter[str] = field(default_factory=Counter)
    went_on: int = 0
    ended: int = 0
    differing: int = 0
    faults: int = 0


class Campaign:
    """Kills commands in a folder of its own.

    Args:
        folder: holds a folder for each case, those of failing ones in the end.
        seed: of the random times and signals.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
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

    def run(self, names: Sequence[str], kills: int) -> None:
        """Kill commands so often in all, each by its share."""
        random_names = random.Random(self.seed)
        weights = [SCENARIOS[name].weight for name in names]
        cases: Counter[str] = Counter()
        first = list(names)
        while first or sum(t.killed.total() for t in self.tallies.values()) < kills:
            name = first.pop(0) if first else random_names.choices(names, weights)[0]
            self.case(name, cases[name])
            cases[name] += 1

    def case(self, name: str, number: int) -> None:
        """Run a command until it is through, killed on the way, and compare."""
        scenario, tally = SCENARIOS[name], self.tallies.setdefault(name, Tally())
        if name not in self._wholes and not self._whole(name):
            return
        chance = random.Random(f"{self.seed} {name} {number}")
        folder = self._begin(scenario, f"{_plain(name)}-{number}")
        for attempt in range(MOST + 1):
            killed, fault = self._attempt(name, folder, chance, attempt)
            tally.went_on += attempt > 0 and not fault
            if fault:
                tally.faults += 1
                break
            if not killed:
                break
        else:
            fault = "not through after so many kills"
        found = [] if fault else differences(self._wholes[name], snapshot(folder))
        tally.ended += not fault
        tally.differing += len(found)
        if fault or found:
            self._note(name, case=number, fault=fault, differences=found[:20])
            say(f"{name}, case {number}: {fault or found[:5]}; kept in {folder}")
        else:
            shutil.rmtree(folder)

    def _whole(self, name: str) -> bool:
        """Run a command undisturbed, as a fresh Python and as a fork, which have to agree."""
        scenario, found = SCENARIOS[name], []
        for fresh in (True, False):
            if scenario.fresh and not fresh:
                continue
            folder = self._begin(scenario, f"{_plain(name)}-whole-{'fresh' if fresh else 'fork'}")
            with self._process(scenario, folder, fresh) as process:
                process.wait(LONGEST)
                self._seconds[name, fresh] = process.seconds
            if process.status != 0:
                self.tallies[name].faults += 1
                say(f"{name}: status {process.status} undisturbed; see {folder}")
                return False
            found.append(snapshot(folder))
        if wrong := differences(found[0], found[-1]):
            self.tallies[name].faults += 1
            say(f"{name}: two undisturbed ones differ: {wrong[:5]}")
            return False
        self._wholes[name] = found[0]
        return True

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

    def _attempt(
        self, name: str, folder: Path, chance: random.Random, attempt: int
    ) -> tuple[bool, str]:
        """Begin or go on with a command, and kill it; whether it was, and what went wrong."""
        scenario, tally = SCENARIOS[name], self.tallies[name]
        fresh = scenario.fresh or chance.random() < FRESH
        (number,) = chance.choices(SIGNALS, SHARES)
        after = chance.uniform(0, self._seconds[name, fresh])
        whom = chance.choice(("group", "parent", *(["worker"] if scenario.workers else [])))
        done: dict[str, Any] = {"case": folder.name, "attempt": attempt, "fresh": fresh}
        with self._process(scenario, folder, fresh) as process:
            if attempt == MOST or process.wait(after):
                through = process.wait(LONGEST)
                self._note(name, **done, status=process.status, after=round(process.seconds, 3))
                return False, _fault(process, through, 0, (0,))
            done |= {"signal": number.name, "whom": whom, "after": round(after, 3)}
            if whom == "worker":
                number = signal.SIGKILL
                hit = self._kill_worker(process, scenario, chance)
                through = process.wait(LONGEST)
                if hit:
                    tally.killed["SIGKILL"] += 1
                self._note(name, **done, hit=hit, status=process.status)
                tally.went_on += hit and process.status == 0
                return False, _fault(process, through, number, (0,))
            process.send(number, group=whom == "group")
            tally.killed[number.name] += 1
            through = process.wait(60)
            fault = _fault(process, through, number, EXPECTED[number])
            self._note(name, **done, status=process.status, fault=fault)
            return process.status != 0, fault

    def _kill_worker(self, process: Process, scenario: Scenario, chance: random.Random) -> bool:
        workers = [p for p, line in process.others().items() if scenario.workers in line]
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(sorted(workers)), signal.SIGKILL)
        return bool(workers)

    def _note(self, name: str, **what: Any) -> None:
        self._log.write(json.dumps({"at": time.time(), "command": name, **what}) + "\n")

    def table(self) -> str:
        """Every command with its kills and what came of them."""
        titles = ["command", *(s.name for s in SIGNALS), "went on", "cases", "faults", "differing"]
        lines = [_line(name, tally) for name, tally in self.tallies.items()]
        total = Tally()
        for tally in self.tallies.values():
            total.killed += tally.killed
            for key in ("went_on", "ended", "differing", "faults"):
                setattr(total, key, getattr(total, key) + getattr(tally, key))
        return text_table(titles, [*lines, _line("all", total)])

    @property
    def failed(self) -> bool:
        """Whether anything was lost, refused or hung."""
        return any(tally.differing or tally.faults for tally in self.tallies.values())


def runnable(only: Sequence[str] = ()) -> list[str]:
    """The commands that can be run here, whose name begins with one of some words."""
    return [
        name
        for name, scenario in SCENARIOS.items()
        if (not only or name.startswith(tuple(only))) and (HAS_CIFAR10 or not scenario.needs_data)
    ]


def _fault(process: Process, through: bool, number: int, expected: tuple[int, ...]) -> str:
    if not through:
        return f"hung after signal {number}" if number else "hung"
    if process.status not in expected:
        return f"status {process.status} after signal {number}"
    return "" if process.are_others_gone(ORPHANS) else "left processes behind"


def _line(name: str, tally: Tally) -> list[str]:
    counts = [tally.killed[s.name] for s in SIGNALS]
    return [name, *map(str, (*counts, tally.went_on, tally.ended, tally.faults, tally.differing))]


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)
