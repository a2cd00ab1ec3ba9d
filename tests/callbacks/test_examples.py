from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytorch_lightning as pl
import torch
from PIL import Image
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger, WandbLogger
from pytorch_lightning.trainer.states import TrainerFn

from colorizer.callbacks import ExamplePictures
from colorizer.colorizer import Colorizer
from colorizer.data import Photos
from colorizer.models import GrayCopy
from colorizer.pictures import Examples
from colorizer.representations import RGB
from colorizer.tracking import finish, log_image


class Gallery:
    """A logger that takes images, as W&B's does."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def log_image(self, key: str, images: list[Any], **_: Any) -> None:
        self.keys += [key] * len(images)


class GrayModule(pl.LightningModule):
    """Stands for a task: its forward is its colorizer's."""

    def __init__(self) -> None:
        super().__init__()
        self.colorizer = Colorizer(GrayCopy(3), RGB())

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        rgb: torch.Tensor = self.colorizer(gray)
        return rgb


def surroundings(photos: Photos) -> tuple[Any, pl.LightningModule, Gallery]:
    gallery = Gallery()
    state = SimpleNamespace(fn=TrainerFn.FITTING)
    trainer = SimpleNamespace(
        state=state,
        is_global_zero=True,
        current_epoch=0,
        global_step=5,
        datamodule=photos,
        loggers=[gallery],
    )
    return trainer, GrayModule().eval(), gallery


def test_pictures_are_rate_limited_while_training(photos: Photos, tmp_path: Path) -> None:
    trainer, module, gallery = surroundings(photos)
    callback = ExamplePictures(str(tmp_path), min_seconds=1000)
    for trainer.current_epoch in range(3):
        callback.on_validation_epoch_end(trainer, module)
    assert [path.name for path in tmp_path.iterdir()] == ["val_epoch_001.png"]
    eager = ExamplePictures(str(tmp_path), min_seconds=0)
    for trainer.current_epoch in range(3):
        eager.on_validation_epoch_end(trainer, module)
    assert len(list(tmp_path.iterdir())) == 3
    assert gallery.keys == ["examples/val"] * 4


def test_after_the_test_they_are_from_the_test_split(photos: Photos, tmp_path: Path) -> None:
    trainer, module, gallery = surroundings(photos)
    callback = ExamplePictures(str(tmp_path), images=4)
    callback.write_test(module, photos, trainer.loggers, torch.device("cpu"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test.npz", "test.png"]
    assert gallery.keys == ["examples/test"]


def test_validation_after_training_writes_nothing(photos: Photos, tmp_path: Path) -> None:
    trainer, module, _ = surroundings(photos)
    trainer.state.fn = TrainerFn.VALIDATING
    ExamplePictures(str(tmp_path)).on_validation_epoch_end(trainer, module)
    assert not list(tmp_path.iterdir())


def test_no_images_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ExamplePictures("x", images=0)


def test_other_processes_write_nothing(photos: Photos, tmp_path: Path) -> None:
    trainer, module, _ = surroundings(photos)
    trainer.is_global_zero = False
    ExamplePictures(str(tmp_path)).on_test_end(cast(Any, trainer), module)
    assert not list(tmp_path.iterdir())
    assert torch.is_grad_enabled()


def test_the_picture_of_test_images_without_a_trainer(photos: Photos, tmp_path: Path) -> None:
    gallery = Gallery()
    colorizer = Colorizer(GrayCopy(3), RGB()).eval()
    callback = ExamplePictures(str(tmp_path), images=4)
    callback.write_test(colorizer, photos, [cast(Any, gallery)], torch.device("cpu"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test.npz", "test.png"]
    assert gallery.keys == ["examples/test"]
    assert len(Examples.load(tmp_path / "test.npz").true) == 4


# --- loggers ---

PICTURE = Image.new("RGB", (6, 4), (255, 0, 0))


def test_loggers_that_take_no_images_are_left_alone(tmp_path: Path) -> None:
    log_image(CSVLogger(str(tmp_path)), "examples/val", PICTURE, step=3)
    assert not list(tmp_path.iterdir())


def test_wandb_gets_pictures(tmp_path: Path) -> None:
    logger = WandbLogger(save_dir=tmp_path, mode="offline", settings={"silent": True})
    try:
        log_image(logger, "examples/val", PICTURE, step=3)
    finally:
        finish(exit_code=0)
    (file,) = tmp_path.rglob("*.png")
    assert Image.open(file).size == (6, 4)


def test_tensorboard_gets_pictures(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    logger = TensorBoardLogger(str(tmp_path), name="", version="")
    log_image(logger, "examples/val", PICTURE, step=3)
    logger.experiment.close()
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    (event,) = events.Images("examples/val")
    assert (event.step, event.width, event.height) == (3, 6, 4)
