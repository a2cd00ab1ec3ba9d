"""Own pieces, from outside the checkout: a Python file, and config files of `--config-dir`."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from colorizer.runs import Run, open_run
from tests.conftest import JOB, Command, Here

Train = Callable[..., Run]

PIECES = """
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import nn

from colorizer.data import ColorizationData, Split
from colorizer.losses import Term
from colorizer.representations import Representation
from colorizer.tasks import Losses, Task


class Charbonnier(Term):
    def forward(self, prediction, target):
        return ((prediction - target).square() + 1e-6).sqrt().mean()


class Tiny(nn.Module):
    multiple_of = stride = 2

    def __init__(self, out_channels, width):
        super().__init__()
        self.num_features = width
        self.first = nn.Conv2d(1, width, 3, stride=2, padding=1)
        self.last = nn.Conv2d(width, out_channels, 3, padding=1)

    def forward_features(self, gray):
        return self.first(gray)

    def forward(self, gray, with_features=False):
        features = self.forward_features(gray)
        output = self.last(features.relu())
        return (output, features) if with_features else output


class Opponent(Representation):
    channels = 2

    def encode(self, rgb):
        return torch.stack((rgb[:, 0] - rgb[:, 1], rgb[:, 2] - rgb[:, 1]), dim=1)

    def decode(self, gray, output):
        output = nn.functional.interpolate(output, size=gray.shape[-2:])
        green = gray[:, 0] - 0.299 * output[:, 0] - 0.114 * output[:, 1]
        return torch.stack((green + output[:, 0], green, green + output[:, 1]), dim=1)


class Stripes(ColorizationData):
    name = "stripes"
    image_size = 24
    classes = ("across", "down")

    def __init__(self, images, **kwargs):
        super().__init__(**kwargs)
        self.images = images

    def load_splits(self):
        generator = torch.Generator().manual_seed(0)
        def split():
            colours = torch.randint(256, (self.images, 3, 24, 1), generator=generator).byte()
            images, labels = colours.expand(-1, -1, -1, 24).clone(), torch.arange(self.images) % 2
            images[1::2] = images[1::2].transpose(2, 3)
            return Split(images, labels)
        return {"train": split(), "val": split(), "test": split()}


class Note(pl.Callback):
    def __init__(self, folder):
        self.file = Path(folder) / "note.txt"

    def on_fit_end(self, trainer, pl_module):
        self.file.write_text(type(pl_module).__name__)


class Chroma(Task):
    objective = "chroma_error"

    def losses(self, batch):
        output, features = self.call_network(self.colorizer.pad(batch.gray))
        encode = self.colorizer.representation.encode
        error = encode(self.colorizer.decode(batch.gray, output)) - encode(batch.rgb)
        loss = error.abs().mean()
        return Losses(loss, {self.objective: loss}, features)
"""

CONFIG = {
    "loss": "{_target_: colorizer.losses.WeightedSum, weights: {charbonnier: 0.5}, "
    "terms: {charbonnier: {_target_: own_pieces.Charbonnier}}}",
    "model": "{_target_: own_pieces.Tiny, width: 6}",
    "representation": "{_target_: own_pieces.Opponent}",
    "data": "{_target_: own_pieces.Stripes, images: 96, batch_size: 32}",
    "callbacks": "{defaults: [default], note: {_target_: own_pieces.Note, folder: '${run_dir}'}}",
    "task": "# @package _global_\n"
    "defaults: [override /loss: null]\n"
    "task: {_target_: own_pieces.Chroma}\n"
    "monitor: val/chroma_error\n",
}
QUIET = [part for part in JOB if part != "model=linear"]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with own_pieces.py and a config file `mine` in each group."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "own_pieces.py").write_text(PIECES)
    for group, text in CONFIG.items():
        file = folder / "conf" / group / "mine.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return folder


@pytest.fixture
def train(own: Path, here: Here, monkeypatch: pytest.MonkeyPatch) -> Train:
    monkeypatch.syspath_prepend(str(own))

    def run(*overrides: str) -> Run:
        command = ["train", "--config-dir", str(own / "conf"), *QUIET, *overrides]
        assert here(*command, "hydra.run.dir=run") == 0
        return open_run("run")

    return run


def test_a_loss(train: Train) -> None:
    run = train("model=cnn", "model.width=4", "loss=[mse,mine]", "logger=csv")
    history = run.history()
    terms = [history[f"train/{name}"][-1][1] for name in ("loss", "mse", "charbonnier")]
    assert terms[0] == pytest.approx(terms[1] + 0.5 * terms[2], rel=1e-5)


def test_an_architecture(train: Train) -> None:
    """Of another stride, trained and tested without --trust: the command line is the user's own."""
    run = train("model=mine", "model.width=5")
    assert run.results["parameters"] == 5 * (9 + 1) + 2 * (5 * 9 + 1)
    assert run.results["test/psnr"] > 5


def test_a_representation(train: Train) -> None:
    assert train("model=cnn", "model.width=4", "representation=mine").results["val/psnr"] > 5


def test_a_data_set(train: Train) -> None:
    """And classes that an own architecture learns from it."""
    run = train("data=mine", "model=mine", "logger=csv", "task.label_weight=0.1", "task.classes=2")
    assert (run.results["data"], run.results["test_images"]) == ("stripes", 96)
    assert 0 < run.history()["train/label"][-1][1] < 3


def test_a_callback(train: Train) -> None:
    run = train("model=cnn", "model.width=4", "callbacks=mine")
    assert (run.folder / "note.txt").read_text() == "Regression"


def test_a_task(train: Train) -> None:
    run = train("model=cnn", "model.width=4", "task=mine")
    assert run.results["val/chroma_error"] > 0
    assert run.config.monitor_mode == "min"


def test_a_logger(own: Path, train: Train) -> None:
    """One of Lightning's, beside another: scalars, settings and pictures arrive."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    file = own / "conf" / "logger" / "mine.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        "tensorboard: {_target_: pytorch_lightning.loggers.TensorBoardLogger, "
        "save_dir: '${run_dir}', name: '', version: tensorboard}\n"
    )
    run = train("model=cnn", "model.width=4", "logger=[csv,mine]")
    events = EventAccumulator(str(run.folder / "tensorboard"))
    events.Reload()
    (found,) = events.Scalars("test/psnr")
    assert found.value == pytest.approx(run.results["test/psnr"], rel=1e-5)
    assert set(events.Tags()["images"]) == {"examples/val", "examples/test"}
    assert run.history()["train/loss"]


def test_everything_at_once_in_a_process_of_its_own(
    own: Path, tmp_path: Path, command: Command
) -> None:
    """A sweep of two seeds; whoever evaluates it says that the package is trusted."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(own), str(Path(__file__).parents[1])])}
    groups = [f"{group}=mine" for group in CONFIG if group not in ("loss", "task")]
    done = command(
        "train", "-m", "--config-dir", str(own / "conf"), *QUIET, *groups, "loss=[l1,mine]",
        "seed=0,1", f"hydra.sweep.dir={tmp_path / 'sweep'}", env=env,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "sweep" / "1" / "note.txt").is_file()
    run, scores = str(tmp_path / "sweep" / "0"), ("--split", "val", "-o", str(tmp_path / "scores"))
    refused = command("evaluate", run, *scores, env=env)
    assert refused.returncode == 2
    assert "own_pieces" in refused.stderr
    assert "--trust" in refused.stderr
    done = command("evaluate", run, *scores, "--trust", "own_pieces", env=env)
    assert done.returncode == 0, done.stderr
