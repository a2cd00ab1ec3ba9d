"""Pictures of what the colorizer makes of always the same images."""

import time
from pathlib import Path

import pytorch_lightning as pl
from PIL import Image
from pytorch_lightning.trainer.states import TrainerFn

from colorizer.data import ColorizationData, SplitName
from colorizer.pictures import Examples, colorize_examples


class ExamplePictures(pl.Callback):
    """Writes rows gray / predicted / true and hands them to every logger that takes images.

    While training the images are from the validation split, after the test from the test split.

    Args:
        folder: where the pictures go.
        images: how many.
        seed: which ones; the same for every run, so that runs can be compared.
        min_seconds: between two pictures while training; the first is always written.
    """

    def __init__(
        self, folder: str, images: int = 10, seed: int = 0, min_seconds: float = 30
    ) -> None:
        if images < 1:
            raise ValueError(f"callbacks.examples.images={images}: at least 1")
        self.folder = Path(folder)
        self.images = images
        self.seed = seed
        self.min_seconds = min_seconds
        self._last: float | None = None

    # Not on_validation_end: there, averaged weights have given way to the last ones again.
    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write a picture of validation images, if the last one is old enough."""
        now = time.monotonic()
        recent = self._last is not None and now - self._last < self.min_seconds
        if recent or trainer.state.fn != TrainerFn.FITTING or not trainer.is_global_zero:
            return
        self._last = now
        picture = self._examples(trainer, pl_module, "val").picture()
        self._publish(
            trainer, picture, f"val_epoch_{trainer.current_epoch + 1:03d}", "examples/val"
        )

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the picture of test images, and the images as they are for reports."""
        if not trainer.is_global_zero:
            return
        examples = self._examples(trainer, pl_module, "test")
        examples.save(self.folder / "test.npz")
        self._publish(trainer, examples.picture(), "test", "examples/test")

    def _examples(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, split: SplitName
    ) -> Examples:
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ColorizationData)
        indices = choose(data, split, self.images, self.seed)
        return colorize_examples(pl_module, data, split, indices, pl_module.device)

    def _publish(self, trainer: pl.Trainer, picture: Image.Image, name: str, key: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        picture.save(self.folder / f"{name}.png")
        for logger in trainer.loggers:
            if hasattr(logger, "log_image"):
                logger.log_image(key, [picture], caption=["gray, predicted, true"])
