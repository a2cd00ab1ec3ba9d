from pathlib import Path

import torch

from colorizer.runs import BEST, open_run
from tests.conftest import JOB, Here


def test_the_average_of_the_weights_is_what_is_kept(here: Here) -> None:
    assert here("train", *JOB, "model=cnn", "callbacks=ema", "hydra.run.dir=run") == 0
    checkpoint = torch.load(Path("run") / BEST, weights_only=True)
    name = "colorizer.network.last.weight"
    average, last = (checkpoint[key][name] for key in ("state_dict", "current_model_state"))
    # Of three steps, the average is that of the first, but for a thousandth or two.
    difference = (average - last).abs().max()
    assert difference > 1e-4
    kept = open_run("run").colorizer().state_dict()["network.last.weight"]
    assert torch.equal(kept, average)


def test_what_is_scored_is_what_is_kept(here: Here) -> None:
    task = ["task=bin_classification", "model=cnn", "callbacks=ema", "callbacks.ema.decay=0.9"]
    assert here("train", *JOB, *task, "hydra.run.dir=run") == 0
    results = open_run("run").results
    assert here("evaluate", "run", "--split", "val", "-o", "scores") == 0
    again = (Path("scores") / "scores.json").read_text()
    assert f"{results['val/mse']:.6f}"[:8] in again
