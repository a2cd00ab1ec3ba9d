"""The short version of `make soak`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.soak.jobs import Sample, compared
from tests.soak.snapshots import differences, snapshot


@pytest.mark.slow
def test_killed_at_random_times_with_the_same_bits(tmp_path: Path) -> None:
    """By a process that has not computed anything yet: what is forked has no threads."""
    root = Path(__file__).parents[2]
    names = ("train: regression*", "search")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.soak", "kills", "--kills", "4", "--fresh", "0"),
            *("--most", "2"),
            *(option for name in names for option in ("--only", name)),
            *("--folder", str(tmp_path)),
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("all ")]
    *signals, survived, cases, faults, differing = map(int, line.split()[1:])
    assert survived == sum(signals) >= 4
    assert cases >= 2
    assert (faults, differing) == (0, 0)


def test_one_bit_is_seen(trained: Path, tmp_path: Path) -> None:
    before = snapshot(trained)
    assert differences(before, snapshot(trained)) == []
    path = trained / "checkpoints" / "last.ckpt"
    content = path.read_bytes()
    try:
        checkpoint = torch.load(path, weights_only=True)
        weight = next(iter(checkpoint["state_dict"].values()))
        weight.view(torch.int32).flatten()[0] ^= 1
        torch.save(checkpoint, path)
        (found,) = differences(before, snapshot(trained))
    finally:
        path.write_bytes(content)
    assert found.startswith("checkpoints/last.ckpt:.state_dict.")


def test_growth_is_seen() -> None:
    flat = [Sample(900.0, 9, 4, 2, 50.0, 0.5) for _ in range(300)]
    assert compared(flat)[1]
    for name, grown in (("memory", 921.0), ("files", 11), ("seconds", 0.6)):
        rising = [Sample(**{**vars(s), name: grown if n > 150 else getattr(s, name)})
                  for n, s in enumerate(flat)]  # fmt: skip
        assert not compared(rising)[1], name
