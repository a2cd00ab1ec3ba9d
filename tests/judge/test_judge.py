import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.linalg import sqrtm

from colorizer.cli import main
from colorizer.data import CIFAR10
from colorizer.errors import UserError
from colorizer.judge import SHIPPED, FrechetDistance, Gaussian, Judge, JudgeNetwork, load_judges
from colorizer.runs import open_run
from tests.conftest import Command


@pytest.fixture(scope="module")
def judge_run(tmp_path_factory: pytest.TempPathFactory, command: Command) -> Path:
    """A small judge, trained by the real command for seconds."""
    folder = tmp_path_factory.mktemp("judge") / "run"
    done = command(
        "train",
        "experiment=judge",
        "data=photos",
        "data.batch_size=64",
        "task.network.widths=[8,16,24]",
        "trainer.max_epochs=2",
        "+trainer.limit_train_batches=10",
        "logger=none",
        "threads=1",
        f"hydra.run.dir={folder}",
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    return folder


def test_a_judge_is_trained_like_anything_else(judge_run: Path) -> None:
    results = open_run(judge_run).results
    assert results["epochs"] == 2
    assert 0 <= results["test/accuracy"] <= 100
    assert results["val/cross_entropy"] > 0
    printed = (judge_run / "stdout.txt").read_text()
    assert ["run", "accuracy", "cross-entropy"] in [line.split() for line in printed.splitlines()]


def test_a_judge_becomes_a_file(
    judge_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", str(judge_run), "-o", str(tmp_path)]) == 0
    file = tmp_path / "judge-0.safetensors"
    results = open_run(judge_run).results
    said = float(capsys.readouterr().out.split("test accuracy ")[1].split()[0])
    assert said == pytest.approx(results["test/accuracy"], abs=1.1)  # 2 of 192 images
    judge = Judge(file)
    assert judge.card["seed"] == 0
    assert judge.card["test_accuracy"] == results["test/accuracy"]
    assert "experiment=judge" in judge.card["command"]
    assert judge.data == "photos"
    features, scores = judge.look(torch.rand(3, 3, 32, 32))
    assert features.shape == (3, 24)
    assert scores.shape == (3, 10)
    assert judge.real["all"].covariance.shape == (24, 24)


def test_mistakes_with_judges(
    judge_run: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def error(*arguments: str | Path) -> str:
        assert main([str(argument) for argument in arguments]) == 2
        return capsys.readouterr().err

    assert "is a run of a colorizer, not of a judge" in error("judge", trained, "-o", tmp_path)
    assert "same seed" in error("judge", judge_run, judge_run, "-o", tmp_path)
    assert "is a run of a judge, not of a colorizer" in error("evaluate", judge_run)
    inside = judge_run / "config.yaml" / "below"
    assert "cannot write" in error("judge", judge_run, "-o", inside)
    takes_no = "colorizer.tasks.Classification takes no model: an experiment file can drop it"
    assert takes_no in error("train", "experiment=judge", "model=unet")
    assert "'loss=null': an experiment file can drop it" in error("train", "loss=null")
    assert "optimizer is missing: there has to be one of" in error("train", "~optimizer")
    wrong = error("train", "experiment=judge", "monitor=val/psnr")
    assert "monitor=val/psnr: not a metric to choose by" in wrong
    assert "There is: val/accuracy, val/cross_entropy" in wrong


def test_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no judge"):
        Judge(tmp_path / "nothing.safetensors")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(SHIPPED[0].read_bytes()[:-1000])
    with pytest.raises(UserError, match="is cut short, or not a safetensors file"):
        Judge(cut)
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, other)
    with pytest.raises(UserError, match="is not a colorizer judge: it holds other weights"):
        Judge(other)
    card = Judge(SHIPPED[0]).card
    card["network"] = {**card["network"], "widths": [64, 128, 192]}
    metadata = {"kind": "colorizer judge", "card": json.dumps(card)}
    save_file(load_file(SHIPPED[0]), other, metadata=metadata)
    with pytest.raises(UserError, match="another architecture than its card says"):
        Judge(other)


@pytest.mark.cifar10
def test_the_first_layer_whitens_patches(cifar10: CIFAR10) -> None:
    rgb = cifar10.split("train").images[:500].float() / 255
    network = JudgeNetwork(10, [8], 1)
    network.whiten(rgb)
    output = network.whitening(rgb).transpose(0, 1).flatten(1)[:12].double()
    assert output.mean(1).abs().max() < 1e-3
    covariance = torch.cov(output)
    # The smallest directions are held back by the floor.
    assert torch.allclose(covariance[4:, 4:], torch.eye(8, dtype=torch.float64), atol=0.1)
    assert (covariance - covariance.diag().diag()).abs().max() < 1e-2


def test_frechet_distance_is_its_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    one = torch.randn(500, 6, generator=generator).numpy()
    two = 0.5 + torch.randn(400, 6, generator=generator) @ torch.rand(6, 6, generator=generator)
    first, second = Gaussian.of(one), Gaussian.of(two.numpy())
    root = sqrtm(first.covariance @ second.covariance).real
    expected = ((first.mean - second.mean) ** 2).sum()
    expected += (first.covariance + second.covariance - 2 * root).trace()
    assert FrechetDistance(first)(second) == pytest.approx(expected, rel=1e-4)
    assert FrechetDistance(first)(first) == pytest.approx(0, abs=1e-4)
    assert FrechetDistance(first)(Gaussian.of(one + 2)) == pytest.approx(6 * 4, rel=1e-4)


def test_too_few_images_for_a_covariance() -> None:
    with pytest.raises(UserError, match="needs more than 6 images"):
        Gaussian.of(torch.rand(6, 6).numpy())


def test_weights_count_images_more_than_once() -> None:
    features = torch.randn(50, 3).numpy()
    weights = torch.tensor([2.0] * 10 + [0.0] * 5 + [1.0] * 35).double().numpy()
    twice = Gaussian.of(features.repeat(weights.astype(int), axis=0))
    weighted = Gaussian.of(features, weights)
    assert weighted.mean == pytest.approx(twice.mean, abs=1e-6)
    assert weighted.covariance == pytest.approx(twice.covariance, abs=1e-5)


def test_the_package_ships_three_small_judges() -> None:
    judges = load_judges()
    assert [judge.card.get("seed") for judge in judges] == [0, 1, None]
    assert [judge.family for judge in judges] == ["own", "own", "imagenet"]
    assert sum(path.stat().st_size for path in SHIPPED) < 15e6
    assert {judge.card["train_fingerprint"] for judge in judges} == {"474217778bd14769"}


@pytest.mark.cifar10
def test_shipped_judges_know_the_classes(cifar10: CIFAR10) -> None:
    """At least 91 % of the test set, by their cards; here of its first 2,000 images."""
    raw = cifar10.split("test")
    rgb, labels = raw.images[:2000].float() / 255, raw.labels[:2000]
    for judge in load_judges(SHIPPED[:2]):
        assert judge.card["test_accuracy"] > 91
        seen = torch.cat([judge.look(part)[1].argmax(1) for part in rgb.split(500)])
        assert (seen == labels).float().mean() > 0.9


def test_the_influence_of_an_image_is_the_derivative_by_its_weight() -> None:
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(400, 5, generator=generator) @ torch.rand(5, 5, generator=generator)
    other = (0.3 + torch.randn(300, 5, generator=generator)).numpy()
    distance = FrechetDistance(Gaussian.of(real.numpy()))
    influence = distance.influence(other)
    assert influence.mean() == pytest.approx(0, abs=1e-9)
    step = 0.5
    for image in (0, 17, 299):
        found = []
        for sign in (1, -1):
            weights = np.ones(300)
            weights[image] += sign * step
            # Of the distribution itself, without the correction of a sample's covariance.
            total = weights.sum()
            mean = weights @ other / total
            centred = other - mean
            covariance = (centred * weights[:, None]).T @ centred / total
            found.append(distance(Gaussian(mean, covariance)))
        slope = (found[0] - found[1]) / (2 * step)
        assert influence[image] / 300 == pytest.approx(slope, rel=0.05, abs=1e-5)
