import json
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from safetensors import safe_open
from safetensors.torch import save_file

import colorizer
from colorizer.cards import read_card, write_card
from colorizer.color import luma, rgb_to_chroma
from colorizer.colorizer import StochasticColorizer
from colorizer.data import CIFAR10
from colorizer.errors import UserError
from colorizer.judge import SHIPPED
from colorizer.metrics.colorfulness import colorfulness
from colorizer.models import Flow
from colorizer.runs import open_run
from colorizer.weights import Weights, open_trained
from tests.conftest import JOB, Here


@pytest.fixture
def file(trained: Path, here: Here, capsys: pytest.CaptureFixture[str]) -> Path:
    """The weights of the trained run, written by the command."""
    assert here("weights", str(trained), "-o", "some/mine.safetensors") == 0
    printed = capsys.readouterr().out
    assert "mine " in printed
    assert "photos" in printed
    return Path("some/mine.safetensors").absolute()


def test_a_run_becomes_a_file_that_colours_alike(
    file: Path, trained: Path, rgb: torch.Tensor
) -> None:
    run = open_run(trained)
    gray = luma(rgb)
    loaded = colorizer.load(file)
    assert not loaded.training
    with torch.no_grad():
        difference = (loaded(gray) - run.colorizer()(gray)).abs()
        assert difference.max() < 0.01  # half precision
        assert loaded(torch.rand(1, 1, 45, 61)).shape == (1, 3, 45, 61)
    weights = Weights(file)
    assert weights.card["seed"] == 3
    assert weights.card["command"].startswith("colorizer train")
    assert weights.results["test/psnr"] == run.results["test/psnr"]
    # Half precision.
    parameters = sum(p.numel() for p in loaded.parameters())
    assert file.stat().st_size < 2.2 * parameters + 20_000


def test_a_file_is_evaluated_like_its_run(
    file: Path, trained: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here("evaluate", str(file), "-o", "scores") == 0
    capsys.readouterr()
    scores = json.loads(Path("scores/scores.json").read_text())
    row = scores["rows"]["mine"]["readings"]["raw"]["all"]
    assert row["psnr"][0] == pytest.approx(open_run(trained).results["test/psnr"], abs=0.02)
    # Nothing is written beside the file.
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_is_no_weight_can_be_changed(
    rgb: torch.Tensor, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = ["task=flow_matching", "model.steps=1", "model.velocity.widths=[4,8]"]
    job = [part for part in JOB if not part.startswith("model=")]
    assert here("train", *job, *flow, "test=false", "hydra.run.dir=flow") == 0
    assert here("weights", "flow", "-o", "flow.safetensors") == 0
    vivid = colorizer.load("flow.safetensors")
    careful, again = (colorizer.load("flow.safetensors", "model.temperature=0") for _ in range(2))
    gray = luma(rgb)
    with torch.no_grad():
        assert torch.equal(careful(gray), again(gray))
        assert (vivid(gray) - careful(gray)).abs().mean() > 1e-3
    with pytest.raises(UserError, match=r"Did you mean 'model\.temperature'"):
        colorizer.load("flow.safetensors", "model.temprature=0")
    capsys.readouterr()
    assert here("evaluate", "flow", "model.temperature=0") == 0
    assert ", model.temperature=0" in capsys.readouterr().out
    assert Path("flow/evaluation-temperature=0/scores.json").is_file()
    assert open_run("flow").evaluation is None


def test_a_flow_adds_to_trained_weights(
    file: Path, trained: Path, rgb: torch.Tensor, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    """The guide's weights are the file's, before and after training, and go into the new file."""
    model = OmegaConf.merge(Weights(file).config.model, {"out_channels": 2})
    network = json.dumps(OmegaConf.to_container(model)).replace('"', "")
    guide = (
        f"model.guide={{_target_: colorizer.models.Guide, network: {network}, "
        "representation: {_target_: colorizer.representations.YCbCr}, "
        "target: '${representation}'}"
    )
    flow = ["task=flow_matching", "model.steps=1", "model.velocity.widths=[4,8]", "callbacks=ema"]
    job = [*(part for part in JOB if not part.startswith("model=")), *flow, "test=false"]
    trained_guide = f"task.guide={{_target_: colorizer.load, which: {file}}}"
    assert here("train", *job, guide, trained_guide, "hydra.run.dir=guided") == 0
    careful = ["model.temperature=0", "-o", "careful.safetensors", "--resolution", "40"]
    assert here("weights", "guided", *careful) == 0
    assert Weights("careful.safetensors").card["changes"] == ["model.temperature=0"]
    assert colorizer.load("careful.safetensors").working_resolution == 40
    assert here("weights", "guided", "-o", "guided.safetensors") == 0
    loaded = colorizer.load("careful.safetensors")
    assert isinstance(loaded.network, Flow)
    assert loaded.network.guide
    expected = colorizer.load(file).state_dict()
    for name, tensor in loaded.network.guide.network.state_dict().items():
        assert torch.equal(tensor, expected[f"network.{name}"])
    gray = luma(rgb)
    with torch.no_grad():
        assert not torch.equal(loaded(gray), colorizer.load("guided.safetensors")(gray))

    def error(*overrides: str) -> str:
        capsys.readouterr()
        assert here("train", *job, *overrides, "hydra.run.dir=wrong") == 2
        return capsys.readouterr().err

    assert "task.guide, its weights, and model.guide" in error(guide)
    assert "task.guide, its weights, and model.guide" in error(trained_guide)
    assert "there are no weights 'no.safetensors'" in error(
        guide, "task.guide={_target_: colorizer.load, which: no.safetensors}"
    )
    other = guide.replace(network, network.replace("widths: [", "widths: [8, "))
    assert "weights of another network than model.guide.network" in error(other, trained_guide)
    other = guide.replace(
        "representations.YCbCr}", "representations.HaarChroma, scales: [1, 1, 1]}"
    )
    assert "weights of another representation than the guide's" in error(other, trained_guide)


def test_what_comes_with_the_package(
    rgb: torch.Tensor, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here("weights") == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == ["cifar10-faithful", "cifar10-vivid", "cifar10-vivid@1", "photographs"]
    gray = luma(rgb)
    with torch.no_grad():
        faithful, vivid, first, _ = (colorizer.load(name) for name in listed)
        careful, colorful, flow = faithful(gray), vivid(gray), first(gray)
        assert faithful(gray[..., :21, :29]).shape[1:] == (3, 21, 29)
        assert isinstance(vivid, StochasticColorizer)
        drawn = vivid.sample(gray[:2, :, :21, :29], 2, torch.Generator().manual_seed(0))
    assert drawn.shape == (2, 2, 3, 21, 29)
    assert not torch.equal(drawn[0], drawn[1])
    for made in (careful, colorful, flow):
        assert (luma(made) - gray).abs().mean() < 0.01
    assert not torch.equal(flow, colorful)
    assert rgb_to_chroma(colorful).square().mean() > 1.5 * rgb_to_chroma(careful).square().mean()


def test_versions_of_what_comes_with_the_package() -> None:
    """A name is the newest version's, which has a number, too."""
    for name, file in (
        ("cifar10-vivid@2", "cifar10-vivid"),
        ("cifar10-vivid@1", "cifar10-vivid@1"),
        ("photographs@1", "photographs"),
    ):
        assert open_trained(name).folder.name == file
    for name in ("cifar10-vivid@3", "cifar10-vivid@", "photographs@0"):
        with pytest.raises(UserError, match=f"are no weights, '{name}'. Did you mean"):
            open_trained(name)


@pytest.mark.cifar10
def test_what_comes_with_the_package_knows_its_images(cifar10: CIFAR10) -> None:
    true = cifar10.split("test").images[:500].float().div(255)
    gray = luma(true)
    with torch.no_grad():
        careful, colorful, flow = (
            colorizer.load(f"cifar10-{name}")(gray) for name in ("faithful", "vivid", "vivid@1")
        )
        vivid = colorizer.load("cifar10-vivid")
        assert isinstance(vivid, StochasticColorizer)
        draws = vivid.sample(gray, 4, torch.Generator().manual_seed(0))
    error = (gray - true).square().mean()
    assert (careful - true).square().mean() < 0.75 * error
    assert (flow - true).square().mean() < error
    # A draw is about as far from the truth as gray is; the mean of draws is a guess.
    assert (draws.mean(0) - true).square().mean() < 0.85 * error
    real = colorfulness(true).mean()
    for made in (colorful, draws[0], flow):
        assert 0.8 * real < colorfulness(made).mean() < 1.1 * real


def test_mistakes(
    file: Path,
    trained: Path,
    tmp_path: Path,
    here: Here,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def error(*arguments: str | Path) -> str:
        assert here(*map(str, arguments)) == 2
        return capsys.readouterr().err

    assert "there are no weights 'nothing.safetensors'" in error("evaluate", "nothing.safetensors")
    with pytest.raises(UserError, match="are no weights, 'nothing'"):
        colorizer.load("nothing")
    with pytest.raises(UserError, match="weights='first': best or last"):
        colorizer.load(trained, weights="first")
    assert colorizer.load(trained).network is not None

    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(file.read_bytes()[:3000])
    assert "is cut short, or not a safetensors file" in error("evaluate", cut)
    assert "is not a colorizer: it holds colorizer judge" in error("evaluate", SHIPPED[0])
    assert "holds the best weights alone" in error("evaluate", file, "--weights", "last")
    assert "has to end with .safetensors" in error("weights", trained, "-o", "mine.pt")
    assert "cannot write" in error("weights", trained, "-o", file / "below.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    assert "cannot write" in error("weights", trained, "-o", tmp_path / "folder.safetensors")
    wrong = ("-o", "mine.safetensors", "--resolution", "4")
    assert "--resolution 4: pixels, from 8 to 1024" in error("weights", trained, *wrong)
    assert "is not a run" in error("weights", tmp_path / "no", "-o", "mine.safetensors")
    assert "a run needs -o FILE" in error_of_parser(here, capsys, "weights", str(trained))


def error_of_parser(here: Here, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        here(*arguments)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def rewritten(file: Path, card: dict[str, object], path: Path) -> Path:
    """The same weights with another card."""
    with safe_open(file, framework="pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    save_file(tensors, path, metadata={"kind": "colorizer", "card": json.dumps(card)})
    return path


def test_the_same_weights_are_the_same_bytes(tmp_path: Path) -> None:
    tensors = {name: torch.ones(size) for name, size in (("b", 3), ("a", 5))}
    for number in range(8):  # the library's order is random
        write_card(tensors, "colorizer", {"z": 1, "c": [2]}, tmp_path / f"{number}.safetensors")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    card, read = read_card(tmp_path / "0.safetensors", "colorizer")
    assert card == {"z": 1, "c": [2]}
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())


def test_cards_that_do_not_fit(file: Path, tmp_path: Path) -> None:
    card = Weights(file).card

    def refuses(changed: dict[str, object], message: str) -> None:
        with pytest.raises(UserError, match=message):
            colorizer.load(rewritten(file, {**card, **changed}, tmp_path / "other.safetensors"))

    config = card["config"]
    wider = {**config, "model": {**config["model"], "widths": [16, 32, 64]}}
    refuses({"config": wider}, "of another architecture than its card describes")
    rgb = {**config, "representation": {"_target_": "colorizer.representations.RGB"}}
    refuses({"config": rgb}, "of another architecture than its card describes")
    bins = {"_target_": "colorizer.representations.ChromaBins", "step": 0.05, "temperature": 0.4}
    refuses(
        {"config": {**config, "representation": bins}},
        r"last\.\w+ is \(2.* and should be \(333",
    )
    harmful = {**config, "model": {"_target_": "os.system"}}
    refuses({"config": harmful}, "asks for os.system, which is not a class of")
    refuses({"config": None}, "a card without config.data")
    refuses({"results": {}}, "a card without results.data")
    refuses({"config": {**config, "model": None}}, "a card without config.model")
    del config["representation"]
    refuses({"config": config}, "a card without config.representation")
