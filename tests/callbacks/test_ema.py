import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from colorizer.callbacks import MovingAverage
from colorizer.runs import BEST, open_run
from tests.conftest import JOB, Here


def test_the_average_of_the_weights_is_what_is_kept(here: Here) -> None:
    assert here("train", *JOB, "model=cnn", "callbacks=ema", "hydra.run.dir=run") == 0
    assert here("train", *JOB, "model=cnn", "hydra.run.dir=without") == 0
    averages, last = (
        torch.load(Path(run) / BEST, weights_only=True)["state_dict"] for run in ("run", "without")
    )
    name = "colorizer.network.last.weight"
    average = averages[name]
    (statistics, *_) = (key for key in averages if key.endswith("running_var"))
    for key in (name, statistics):
        assert not torch.equal(averages[key], last[key])
    kept = open_run("run").colorizer().state_dict()["network.last.weight"]
    assert torch.equal(kept, average)


def test_the_average_forgets_the_first_weights_and_takes_counts_over() -> None:
    callback: Any = MovingAverage(decay=0.5)
    average, count, expected = torch.tensor([1.0]), torch.tensor([0]), 1.0
    for steps in range(5):
        callback._average_model = SimpleNamespace(n_averaged=torch.tensor(steps))
        callback._average([average], [torch.tensor([10.0 * steps])], None)
        callback._average([count], [torch.tensor([steps])], None)
        keep = min(0.5, (1 + steps) / (10 + steps))
        expected = keep * expected + (1 - keep) * 10 * steps
    assert average.item() == pytest.approx(expected)
    assert count.item() == 4


def test_what_is_scored_is_what_is_kept(here: Here) -> None:
    """Also where the best epoch is not the last: a learning rate that is far too high."""
    settings = ["model=cnn", "callbacks=ema", "callbacks.ema.decay=0.5", "trainer.max_epochs=4"]
    settings += ["optimizer.lr=1.0", "scheduler=constant", "hydra.run.dir=run"]
    assert here("train", *JOB, *settings) == 0
    run = open_run("run")
    best = torch.load(Path("run") / BEST, weights_only=True)
    assert best["epoch"] < 3
    assert here("evaluate", "run", "--split", "val", "-o", "scores") == 0
    rows = json.loads((Path("scores") / "scores.json").read_text())["rows"]
    (found,) = (row for name, row in rows.items() if "model=cnn" in name or "cnn" in name)
    assert found["readings"]["raw"]["all"]["mse"][0] == pytest.approx(run.results["val/mse"])


@pytest.mark.parametrize("decay", [0, 1, 1.5])
def test_a_decay_that_cannot_be(
    decay: float, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here("train", *JOB, "callbacks=ema", f"callbacks.ema.decay={decay}") == 2
    assert f"callbacks.ema.decay={decay}: a number above 0 and below 1" in capsys.readouterr().err
