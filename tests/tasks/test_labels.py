import csv
import math
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from colorizer.color import luma
from colorizer.data import CIFAR10, Batch
from colorizer.errors import UserError
from colorizer.models import ResidualUNet, UNet
from colorizer.runs import open_run
from tests.conftest import CIFAR10_ROOT, JOB, NEEDS_COMPILER, Here
from tests.tasks.test_tasks import task


@pytest.mark.parametrize("network", ["unet", "residual_unet"])
def test_the_cross_entropy_of_the_class(network: str, rgb: torch.Tensor) -> None:
    module = task(f"model={network}", "task.label_weight=0.5", "task.classes=4")
    assert module.labels is not None
    batch = Batch(luma(rgb), rgb, torch.arange(len(rgb)) % 4)
    colorizer = module.colorizer.network
    assert isinstance(colorizer, UNet | ResidualUNet)
    total, terms = module.minimised(batch)
    means = colorizer.forward_features(batch.gray).clamp(min=0).mean(dim=(2, 3))
    scores = means @ module.labels.scores.weight.T + module.labels.scores.bias
    expected = -scores.log_softmax(1)[torch.arange(len(rgb)), batch.label].mean()
    torch.testing.assert_close(terms["label"], expected)
    torch.testing.assert_close(total, terms["mse"] + 0.5 * expected)
    # It teaches the encoder, and has nothing to do with the decoder.
    terms["label"].backward()
    for parameter in colorizer.encoder[-1].parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
    assert colorizer.last.weight.grad is None


def test_it_is_of_the_features_after_attention_and_of_the_batch_at_hand(rgb: torch.Tensor) -> None:
    module = task(
        "task=bin_classification",
        "model.attention_heads=4",
        "task.label_weight=1",
        "task.classes=2",
    )
    network = module.colorizer.network
    assert isinstance(network, ResidualUNet)
    assert network.attention is not None
    gray, label = luma(rgb), torch.zeros(len(rgb), dtype=torch.int64)
    found = [module.minimised(Batch(g, rgb, label))[1]["label"] for g in (gray, gray, 1 - gray)]
    assert found[0] == found[1] != found[2]
    found[2].backward()
    assert any(p.grad is not None for p in network.attention.parameters())
    # Outside of a training there are none.
    assert module.eval().call_network(gray)[1] is None


@pytest.mark.slow
@NEEDS_COMPILER
def test_compiled_after_a_network_like_it_that_has_none(rgb: torch.Tensor) -> None:
    """As in a sweep, which trains one after the other in one process."""
    batch = Batch(luma(rgb), rgb, torch.zeros(len(rgb), dtype=torch.int64))
    found = []
    for weight in (0, 1):
        made = ["model=unet", "task.compile=true", f"task.label_weight={weight}"]
        found.append(task(*made).minimised(batch)[1])
    assert [sorted(terms) for terms in found] == [["mse"], ["label", "mse"]]


def test_without_a_weight_there_is_none(rgb: torch.Tensor) -> None:
    module = task("task.label_weight=0")
    batch = Batch(luma(rgb), rgb, torch.zeros(len(rgb)))
    assert module.labels is None
    assert set(module.minimised(batch)[1]) == {"mse"}


def test_the_velocity_of_a_flow_learns_classes_too(rgb: torch.Tensor) -> None:
    module = task("task=flow_matching", "task.label_weight=1", "task.classes=3")
    label = torch.zeros(len(rgb), dtype=torch.int64)
    total, terms = module.minimised(Batch(luma(rgb), rgb, label))
    torch.testing.assert_close(total, terms["velocity_mse"] + terms["label"])
    assert 0 < terms["label"] < 3


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model=linear", "task.label_weight=1"], "Linear has no coarsest features"),
        (["task.label_weight=-1"], "task.label_weight=-1: a number from 0"),
        (["task.label_weight=nan"], "task.label_weight=nan: a number from 0"),
        (["task.label_weight=null"], "task.label_weight=null: a number from 0"),
        (["task.label_weight=1", "task.classes=1"], "task.classes=1: a whole number from 2"),
        (["task.label_weight=1", "task.classes=2.5"], "task.classes=2.5: a whole number from 2"),
    ],
)
def test_what_cannot_learn_classes(overrides: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        task(*overrides)


def test_data_without_classes_is_refused_before_anything_is_written(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here("train", *JOB, "model=unet", "task.label_weight=1", "hydra.run.dir=run") == 2
    assert "photos has no classes; task.label_weight=0 trains" in capsys.readouterr().err
    assert not Path("run").exists()


@pytest.mark.cifar10
def test_another_number_of_classes_than_the_data_has(cifar10: CIFAR10) -> None:
    module = task("task.label_weight=1", "task.classes=9")
    with pytest.raises(UserError, match="task.classes=9: cifar10 has 10 classes"):
        module.check(cifar10)


def test_a_search_cannot_get_round_the_data(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    """Its first value, 0, is all that is looked at before it begins."""
    job = [part for part in JOB if part != "model=linear"]
    search = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=1", "study=labels"]
    space = ["model=unet", "task.label_weight=interval(0,1)"]
    assert here("train", "-m", *search, *job, *space) != 0
    assert "photos has no classes" in capsys.readouterr().err


@pytest.mark.cifar10
@pytest.mark.slow
def test_classes_are_learned_and_are_no_part_of_the_colorizer(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORIZER_DATA", str(Path(CIFAR10_ROOT).absolute()))
    changed = ("data=", "model=", "logger=", "+trainer.limit", "trainer.max")
    job = [part for part in JOB if not part.startswith(changed)]
    overrides = ["logger=csv", "callbacks=ema", "task.label_weight=0.1", "test=false"]
    limits = ["trainer.max_epochs=2", "+trainer.limit_train_batches=60", "data.val_images=500"]
    assert here("train", *job, *overrides, *limits, "hydra.run.dir=run") == 0
    with Path("run/logs/metrics.csv").open() as file:
        entropy = [float(row["train/label"]) for row in csv.DictReader(file) if row["train/label"]]
    assert len(entropy) == 2
    assert entropy[1] < entropy[0] < math.log(10) + 0.1
    assert entropy[1] < 0.95 * math.log(10)
    run = open_run("run")
    assert here("weights", "run", "-o", "mine.safetensors") == 0
    with safe_open("mine.safetensors", "pt") as weights:
        assert not any("scores" in name for name in weights.keys())  # noqa: SIM118  # no mapping
    assert run.results["parameters"] == sum(p.numel() for p in run.colorizer().parameters())
