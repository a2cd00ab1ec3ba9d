"""Pictures of always the same images while a colorizer is trained."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor

from colorizer.data import ColorizationData, SplitName
from colorizer.pictures import Examples, colorize_examples, random_indices
from colorizer.ranges import NotNegative, Range, Seed
from colorizer.tracking import log_image


class ExamplePictures(pl.Callback):
    """Writes rows gray / predicted / true, and gives them to every logger that takes images.

    While training they are of the validation split; `write_test` is for the test split.

    Args:
        folder: where the pictures go.
        images: how many.
        seed: which ones; the same for every run, so that runs can be compared.
        min_seconds: between two pictures while training; the first is always written.
    """

    def __init__(
        self,
        folder: str,
        images: Annotated[int, Range(1, 1000)] = 10,
        seed: Seed = 0,
        min_seconds: NotNegative = 30,
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
        data = trainer.datamodule  # type: ignore[attr-defined]
        examples = self._examples(pl_module, data, "val", pl_module.device)
        name = f"val_epoch_{trainer.current_epoch + 1:03d}"
        step = max(0, trainer.global_step - 1)  # where Lightning logs the metrics
        self._publish(examples, name, trainer.loggers, "examples/val", step)

    def write_test(
        self,
        colorizer: Callable[[Tensor], Tensor],
        data: ColorizationData,
        loggers: Iterable[Logger],
        device: torch.device,
        step: int | None = None,
    ) -> None:
        """Write test.png, and test.npz, which reports make their pictures from.

        Args:
            colorizer: gray (N, 1, H, W) -> RGB (N, 3, H, W), in evaluation mode.
            data: with the test split.
            loggers: which get the picture.
            device: of the colorizer.
            step: of the optimizer, that its weights are known by in the loggers.
        """
        examples = self._examples(colorizer, data, "test", device)
        examples.save(self.folder / "test.npz")
        self._publish(examples, "test", loggers, "examples/test", step)

    def _examples(
        self,
        colorizer: Callable[[Tensor], Tensor],
        data: ColorizationData,
        split: SplitName,
        device: torch.device,
    ) -> Examples:
        images = data.split(split).images
        indices = random_indices(len(images), self.images, self.seed)
        return colorize_examples(colorizer, images[indices], device)

    def _publish(
        self,
        examples: Examples,
        name: str,
        loggers: Iterable[Logger],
        key: str,
        step: int | None = None,
    ) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        picture = examples.picture()
        picture.save(self.folder / f"{name}.png")
        for logger in loggers:
            log_image(logger, key, picture, step)
