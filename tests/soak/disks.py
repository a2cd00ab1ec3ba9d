"""Fills disks under commands, makes room, and compares what is left with a whole one."""

import random
import subprocess
from collections import Counter
from pathlib import Path

from colorizer.console import say, text_table
from tests.soak.processes import Process
from tests.soak.scenarios import SCENARIOS
from tests.soak.snapshots import differences, snapshot

# The commands, and the most kilobytes that they get: about what each writes.
MOST = {"train: regression, Muon, EMA": 600, "grid": 1500, "search": 1000, "study": 1500}
# Seconds for a command; kilobytes that are enough for each.
LONGEST, PLENTY = 240.0, 1_000_000


class Disk:
    """A file system in memory with plenty of room, mounted on a folder; root can.

    Args:
        folder: made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        _call("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", folder)

    def leave(self, kilobytes: int) -> None:
        """Leave room for so much beside what it holds."""
        held = sum(4 * -(-p.stat().st_size // 4096) for p in self.folder.rglob("*") if p.is_file())
        _call("mount", "-o", f"remount,size={held + kilobytes}k", self.folder)

    def remove(self) -> None:
        """Unmount it, with all that it holds."""
        _call("umount", "--lazy", self.folder)
        self.folder.rmdir()


def _call(*command: str | Path) -> None:
    subprocess.run(command, check=True)


def fill_disks(times: int, folder: Path, seed: int = 0) -> int:
    """Run commands on disks of random sizes; 1 if anything was lost, and a table.

    Args:
        times: how often.
        folder: for the disk, and for what the commands print.
        seed: of the sizes.
    """
    chance = random.Random(seed)
    full: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    wholes: dict[str, dict[str, str]] = {}
    for number in range(times):
        name = list(MOST)[number % len(MOST)]
        if name not in wholes:
            wholes[name], _ = _on_a_disk(name, folder, PLENTY)
        room = 4 * chance.randrange(1, MOST[name] // 4)
        found, status = _on_a_disk(name, folder, room)
        tried[name] += 1
        full[name] += status != 0
        if lost := differences(wholes[name], found):
            wrong[name] += 1
            say(f"{name}, {room} kB: {lost[:5]}")
    lines = [[n, *(str(c[n]) for c in (tried, full, wrong))] for n in wholes]
    lines.append(["all", *(str(c.total()) for c in (tried, full, wrong))])
    say(text_table(["command", "disks", "full", "differing"], lines))
    return int(wrong.total() > 0)


def _on_a_disk(name: str, folder: Path, room: int) -> tuple[dict[str, str], int]:
    """What a command has written in the end, and its status on the small disk."""
    scenario = SCENARIOS[name]
    disk, log = Disk(folder / "disk"), folder / "disk.log"
    log.unlink(missing_ok=True)
    try:
        scenario.prepare(disk.folder, folder)
        disk.leave(room)
        status = _run(scenario.arguments, disk.folder, log)
        disk.leave(PLENTY)
        again = _run(scenario.arguments, disk.folder, log) if status else 0
        if status not in (0, 1, 2) or again or "Traceback" in log.read_text():
            return {"status": f"{status}, then {again}: {log.read_text()[-2000:]}"}, status
        return snapshot(disk.folder), status
    finally:
        disk.remove()


def _run(arguments: tuple[str, ...], folder: Path, log: Path) -> int:
    environment = {"WANDB_MODE": "offline"}
    process = Process(arguments, folder, environment, False, log)
    try:
        done = process.wait(LONGEST)
        return -1 if not done or process.status is None else process.status
    finally:
        process.end()
