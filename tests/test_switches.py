"""Lightning's own switches, each by what it does to a training; and the configs that debug."""

from pathlib import Path
from typing import Any

import pytest
import torch

from colorizer.data import Photos
from colorizer.runs import BEST, Run, open_run
from tests.conftest import JOB, Here

LIMIT = "+trainer.limit_train_batches=3"
TRAIN = [*(part for part in JOB if part != "logger=none"), "logger=csv", "test=false"]
RUN = "hydra.run.dir=run"


@pytest.fixture
def train(here: Here) -> Any:
    def run(*overrides: str) -> Run:
        assert here("train", *TRAIN, RUN, *overrides) == 0
        places = [o.partition("=")[2] for o in (RUN, *overrides) if o.startswith("hydra.run.dir=")]
        return open_run(places[-1])

    return run


def weights(run: Run) -> dict[str, torch.Tensor]:
    content = torch.load(run.folder / BEST, weights_only=True)["state_dict"]
    return {key: value for key, value in content.items() if value.is_floating_point()}


def test_fast_dev_run(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    """One batch, no test, no logger; and it is said to be no result, there and in tables."""
    assert here("train", *TRAIN, RUN, "debug=fast", "test=true") == 0
    run = open_run("run")
    assert (run.results["steps"], run.metrics("test")) == (1, {})
    assert run.results["val/mse"] > 0
    assert not (run.folder / "logs").exists()
    assert "no result: trainer.fast_dev_run=True" in capsys.readouterr().err
    assert here("report", "run") == 0
    assert "run (data=photos" in (said := capsys.readouterr().err)
    assert "is no result: trainer.fast_dev_run=True" in said


def test_overfitting_repeats_the_same_batches(photos: Photos) -> None:
    """In the data's order, and from the place where an interrupted epoch stopped."""
    from types import SimpleNamespace

    data = Photos(batch_size=64)
    data._splits = photos._splits
    strategy = SimpleNamespace(root_device=torch.device("cpu"))
    facts = {"world_size": 1, "global_rank": 0, "overfit_batches": 2, "strategy": strategy}
    data.trainer = SimpleNamespace(**facts)  # type: ignore[assignment]
    first = photos.split("train").images[:192]
    for epoch, skipped in ((0, 0), (1, 0), (7, 1)):
        data.start_at(epoch, skipped)
        batches = list(data.train_dataloader())
        assert torch.equal(
            torch.cat([b.rgb for b in batches[: 3 - skipped]]), first[skipped * 64 :]
        )


def test_debug_overfit_learns_its_batches(train: Any) -> None:
    run = train(
        "debug=overfit", "model=cnn", "model.width=8", "trainer.max_epochs=8", "data.batch_size=16"
    )
    losses = [value for _, value in run.history()["train/loss"]]
    assert losses[-1] < losses[0] / 2
    assert run.interim == "no result: trainer.overfit_batches=3"
    assert run.results["steps"] == 24


def test_debug_limit(here: Here) -> None:
    job = [part for part in TRAIN if part not in (LIMIT, "trainer.max_epochs=1")]
    assert here("train", *job, RUN, "debug=limit", "trainer.limit_train_batches=2") == 0
    run = open_run("run")
    assert (run.results["steps"], run.interim) == (6, None)
    assert len(list((run.folder / "examples").glob("val_epoch_*.png"))) == 3
    assert len(run.history()["val/mse"]) == 3


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("simple", "fit-profile.txt", "run_training_batch"),
        pytest.param("advanced", "fit-profile.txt", "ncalls", marks=pytest.mark.slow),
        pytest.param(
            *("pytorch", "fit-profile*.pt.trace.json", "aten::conv2d"), marks=pytest.mark.slow
        ),
    ],
)
def test_debug_profiler(
    name: str, file: str, content: str, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it found is in the run directory, and the command says where."""
    assert here("train", *TRAIN, RUN, "debug=profiler", f"trainer.profiler={name}") == 0
    (path,) = Path("run").glob(file)
    assert content in path.read_text()
    assert f"profile   {path}" in capsys.readouterr().out


PLAIN = (
    "optimizer=sgd",
    "optimizer.lr=1",
    "optimizer.momentum=0",
    "optimizer.nesterov=false",
    "optimizer.weight_decay=0",
    "scheduler=constant",
)


@pytest.mark.parametrize("algorithm", [pytest.param("norm", marks=pytest.mark.slow), "value"])
def test_gradient_clipping(algorithm: str, train: Any, here: Here) -> None:
    """After a step of gradient descent at a rate of 1 the weights have moved by the gradient."""
    clip = f"+trainer.gradient_clip_algorithm={algorithm}"
    after = [
        weights(train(*PLAIN, clip, f"trainer.gradient_clip_val={size}", "+trainer.max_steps=1",
                      f"hydra.run.dir=clip-{size}"))
        for size in ("1e-30", "1e-4")
    ]  # fmt: skip
    moved = torch.cat([(after[1][key] - after[0][key]).flatten() for key in after[0]])
    size = moved.norm() if algorithm == "norm" else moved.abs().max()
    assert size.item() == pytest.approx(1e-4, rel=1e-2)


def test_accumulated_gradients(train: Any) -> None:
    """Two batches make a step; the last, odd one makes its own."""
    assert train("+trainer.accumulate_grad_batches=2").results["steps"] == 2


def test_mixed_precision_keeps_the_weights_whole(train: Any) -> None:
    run = train("trainer.precision=bf16-mixed")
    assert {value.dtype for value in weights(run).values()} == {torch.float32}
    half = run.history()["train/loss"][0][1]
    whole = train("hydra.run.dir=whole").history()["train/loss"][0][1]
    assert half != whole
    assert half == pytest.approx(whole, rel=0.05)


@pytest.mark.parametrize(
    "strategy", ["ddp", pytest.param("ddp_find_unused_parameters_true", marks=pytest.mark.slow)]
)
def test_strategies_of_one_process(strategy: str, train: Any) -> None:
    assert train(f"+trainer.strategy={strategy}").results["steps"] == 3
