"""The judge that has its features from ImageNet."""

from pathlib import Path

import pytest
import torch
from torchvision.models import mobilenet_v2

from colorizer.cli import main
from colorizer.color import luma
from colorizer.data import CIFAR10
from colorizer.errors import UserError
from colorizer.evaluation.judges import correct, fit_probe, write_imagenet_judge
from colorizer.judge import SHIPPED, ImageNetNetwork, Judge
from tests.conftest import Command


def test_its_features_are_mobilenets() -> None:
    torch.manual_seed(0)
    mobilenet = mobilenet_v2(weights=None).eval()
    for module in mobilenet.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = 0.1 * torch.randn(module.num_features)
            module.running_var = 1 + torch.rand(module.num_features)
    weights = {f"features.{n}": t for n, t in mobilenet.features.state_dict().items()}
    network = ImageNetNetwork(classes=10, size=64, dimensions=8)
    network.load_trunk(weights)
    network.project_at_random()
    network.eval()
    # As many as fill more than one of its batches.
    rgb = torch.rand(20, 3, 32, 32)
    large = torch.nn.functional.interpolate(rgb, (64, 64), mode="bilinear")
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normal = (large - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
    with torch.no_grad():
        expected = mobilenet.features(normal).mean((2, 3))
        assert torch.allclose(network.embed(rgb), expected, atol=1e-5)
        before = network.look(rgb)
        network.fuse()
        assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
        for plain, fused in zip(before, network.look(rgb), strict=True):
            assert torch.allclose(plain, fused, atol=1e-4)
    directions = network.projection.weight
    assert torch.allclose(directions @ directions.T, torch.eye(8), atol=1e-5)


def test_a_probe_finds_what_is_linear() -> None:
    random = torch.Generator().manual_seed(0)
    features = torch.randn(600, 20, generator=random) * 3 + 1
    direction = torch.randn(20, 4, generator=random)
    labels = (features @ direction).argmax(1)
    decay, probe = fit_probe(features[:400], labels[:400], features[400:], labels[400:])
    assert decay == 1e-4
    assert correct(probe(features[400:]), labels[400:]) > 90


def test_wrong_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "weights.pt"
    assert main(["judge", "-o", str(tmp_path)]) == 2
    assert "no judge to write" in capsys.readouterr().err
    data = CIFAR10(str(tmp_path), download=False)
    with pytest.raises(UserError, match="cannot be read as weights"):
        write_imagenet_judge(file, data, tmp_path / "judge.safetensors")
    torch.save({"features.0": torch.zeros(3)}, file)
    with pytest.raises(UserError, match="not the weights of a MobileNetV2"):
        write_imagenet_judge(file, data, tmp_path / "judge.safetensors")
    torch.save([1, 2], file)
    with pytest.raises(UserError, match="holds no weights by name"):
        write_imagenet_judge(file, data, tmp_path / "judge.safetensors")


@pytest.mark.cifar10
def test_the_shipped_one_sees_colour(cifar10: CIFAR10) -> None:
    """85.9 % of the test set, by its command; here of its first 1,000 images."""
    judge = Judge(SHIPPED[2])
    assert judge.data == "cifar10"
    assert judge.card["val_accuracy"] > 86
    raw = cifar10.split("test")
    rgb, labels = raw.images[:1000].float() / 255, raw.labels[:1000]
    in_colour = correct(judge.look(rgb)[1], labels)
    in_gray = correct(judge.look(luma(rgb).expand_as(rgb))[1], labels)
    assert in_colour > 83
    assert 5 < in_colour - in_gray < 20


@pytest.mark.cifar10
@pytest.mark.slow  # 5 minutes
def test_it_is_made_by_a_command(tmp_path: Path, command: Command) -> None:
    """Of a MobileNetV2 that has learned nothing."""
    torch.manual_seed(0)
    file = tmp_path / "weights.pt"
    torch.save(mobilenet_v2(weights=None).state_dict(), file)
    done = command("judge", "--imagenet", str(file), "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "test accuracy" in done.stdout
    assert Judge(tmp_path / "imagenet.safetensors").family == "imagenet"
