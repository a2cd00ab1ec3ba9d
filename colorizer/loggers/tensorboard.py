"""TensorBoard."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytorch_lightning.loggers as lightning
from lightning_fabric.utilities.logger import _flatten_dict
from lightning_fabric.utilities.rank_zero import rank_zero_only
from PIL.Image import Image


class TensorBoardLogger(lightning.TensorBoardLogger):
    """Lightning's, which goes on with an interrupted training and fills TensorBoard's HParams.

    Args:
        save_dir: the run directory.
        name: a folder below it; empty: none.
        version: a folder below that.
        max_queue: events that are kept in memory at most.
        flush_secs: seconds between two writings.
    """

    def __init__(
        self,
        save_dir: str,
        name: str = "",
        version: str = "tensorboard",
        max_queue: int = 10,
        flush_secs: int = 120,
    ) -> None:
        super().__init__(save_dir, name, version, max_queue=max_queue, flush_secs=flush_secs)

    @rank_zero_only
    def go_on(self, step: int) -> None:
        """Let TensorBoard drop what was logged at a step or later, which is made again."""
        if self._experiment is not None:
            self._experiment.close()
            self._experiment = None
        self._kwargs["purge_step"] = step

    @rank_zero_only
    def log_hyperparams(  # type: ignore[override]
        self, params: Mapping[str, Any], *_: Any, **__: Any
    ) -> None:
        """Write the settings.

        Which metrics belong to them is left to TensorBoard, which finds them: Lightning's own
        names none, or one that there is not.
        """
        from torch.utils.tensorboard.summary import hparams

        self.hparams = dict(params)
        flat = self._sanitize_params(_flatten_dict(self.hparams))
        self._add(hparams(flat, {})[1])

    @rank_zero_only
    def log_image(self, key: str, images: list[Image], step: int | None = None) -> None:
        """Write an image."""
        for image in images:
            self.experiment.add_image(key, np.asarray(image), step, dataformats="HWC")

    @rank_zero_only
    def end(self, state: str) -> None:
        """Write that the run is over, where its `state` is `finished`."""
        from torch.utils.tensorboard.summary import hparams

        if state == "finished":
            self._add(hparams({}, {})[2])
        self.experiment.close()

    def _add(self, summary: Any) -> None:
        self.experiment._get_file_writer().add_summary(summary)
