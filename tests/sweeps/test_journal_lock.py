"""Whoever is killed as it writes down a trial keeps nobody else from it."""

import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = """
import sys, time
from pathlib import Path
from colorizer.sweeps.search_settings import JournalLock, open_study
journal = Path("outputs") / "optuna.journal"
"""
HOLD = """
lock = JournalLock(journal)
lock.acquire()
print("held", flush=True)
time.sleep(600)
"""
OPEN = """
print("waits", flush=True)
open_study(journal, "search", ["minimize"])
"""


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    """Also in a folder that is named relative to the current one, as outputs/ is."""
    (tmp_path / "outputs").mkdir()

    def begin(what: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", BEGIN + what], stdout=subprocess.PIPE, text=True, cwd=tmp_path
        )
        assert process.stdout
        assert process.stdout.readline() in ("held\n", "waits\n")
        return process

    assert begin(OPEN).wait(60) == 0
    with begin(HOLD) as holder, begin(OPEN) as other:
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                other.wait(1)
        finally:
            holder.kill()
        assert other.wait(60) == 0
