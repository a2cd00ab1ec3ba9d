"""Colorizers as ONNX files, run by onnxruntime on photographs."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import colorizer
from colorizer.cards import read_card
from colorizer.color import luma
from colorizer.data import Photos
from colorizer.export import Exportable, difference_of
from colorizer.weights import KIND
from tests.conftest import JOB, Here


@pytest.fixture(scope="module")
def photographs() -> torch.Tensor:
    """(3, 1, 50, 50)."""
    return luma(Photos(image_size=50, scales=(3,)).split("test").images[:3] / 255)


def run(path: str, gray: torch.Tensor) -> np.ndarray:
    found: np.ndarray = onnxruntime.InferenceSession(path).run(None, {"gray": gray.numpy()})[0]
    return found


def card_in(path: str) -> dict[str, object]:
    (card,) = (p.value for p in onnx.load(path).metadata_props if p.key == "card")
    found: dict[str, object] = json.loads(card)
    return found


def test_a_run_does_the_same_in_onnx(
    trained: Path, photographs: torch.Tensor, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any number of images of any size; the file has the run's card."""
    assert here("export", str(trained), "--format", "onnx", "-o", "new/mine.onnx") == 0
    assert "differs from PyTorch by at most" in capsys.readouterr().out
    colorize = colorizer.load(trained)
    for gray in (photographs, photographs[:1, :, :37, :], photographs[1:, :, :, :1]):
        with torch.no_grad():
            np.testing.assert_allclose(run("new/mine.onnx", gray), colorize(gray), atol=1e-4)
    card = card_in("new/mine.onnx")
    assert card["seed"] == 3
    assert card["working_resolution"] == colorize.working_resolution
    assert here("export", str(trained), "--format", "safetensors", "-o", "mine.safetensors") == 0
    assert here("weights", str(trained), "-o", "same.safetensors") == 0
    assert Path("mine.safetensors").read_bytes() == Path("same.safetensors").read_bytes()
    # A file that does something else is noticed.
    assert difference_of(Path("new/mine.onnx"), colorizer.load("cifar10-faithful")) > 0.01


@pytest.mark.slow
def test_a_flow_is_one_graph_without_its_noise(
    photographs: torch.Tensor, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = ["task=flow_matching", "model.steps=1", "model.velocity.widths=[4,8]"]
    job = [part for part in JOB if not part.startswith("model=")]
    assert here("train", *job, *flow, "test=false", "hydra.run.dir=flow") == 0
    capsys.readouterr()
    assert here("export", "flow", "--format", "onnx", "-o", "flow.onnx") == 0
    assert "its temperature is 1: exported with 0" in capsys.readouterr().err
    assert card_in("flow.onnx")["changes"] == ["model.temperature=0"]
    colorize = colorizer.load("flow", "model.temperature=0")
    with torch.no_grad():
        np.testing.assert_allclose(run("flow.onnx", photographs), colorize(photographs), atol=1e-4)


@pytest.mark.slow
def test_a_network_of_one_size(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    assert here("train", *JOB, "test=false", "hydra.run.dir=linear") == 0
    assert here("export", "linear", "--format", "onnx", "-o", "linear.onnx") == 0
    gray = torch.rand(5, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = colorizer.load("linear")(gray)
    np.testing.assert_allclose(run("linear.onnx", gray), expected, atol=1e-4)


def test_what_is_exported_pads_as_the_colorizer_does() -> None:
    for name in ("cifar10-faithful", "cifar10-vivid", "cifar10-vivid@1"):
        colorize = colorizer.load(name)
        for size in ((32, 32), (19, 30), (1, 1)):
            gray = torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0))
            with torch.no_grad():
                torch.testing.assert_close(Exportable(colorize)(gray), colorize(gray))


def test_weights_in_a_file_are_copied(here: Here) -> None:
    name = "cifar10-faithful"
    assert here("export", name, "--format", "safetensors", "-o", "copy.safetensors") == 0
    assert read_card(Path("copy.safetensors"), KIND)[0]["seed"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cifar10-faithful", "--format", "onnx", "-o", "x.pt"), "has to end with .onnx"),
        (("nothing", "--format", "onnx", "-o", "x.onnx"), "'nothing'"),
        (
            ("cifar10-vivid", "model.steps=3", "--format", "safetensors", "-o", "x.safetensors"),
            "name the run",
        ),
    ],
)
def test_mistakes(
    here: Here, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert here("export", *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("cifar10-faithful", ()),
        ("cifar10-vivid", ("model.temperature=0",)),
        ("cifar10-vivid@1", ()),
    ],
)
def test_those_that_ship(
    name: str, changes: tuple[str, ...], photographs: torch.Tensor, here: Here
) -> None:
    assert here("export", name, "--format", "onnx", "-o", "x.onnx") == 0
    with torch.no_grad():
        expected = colorizer.load(name, *changes)(photographs)
    np.testing.assert_allclose(run("x.onnx", photographs), expected, atol=1e-4)
