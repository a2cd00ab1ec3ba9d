"""The checkpoints of a training: the best weights, and the state that it goes on from."""

import io
import math
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins import TorchCheckpointIO
from lightning_fabric.utilities.seed import _collect_rng_states, _set_rng_states
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.trainer.states import TrainerFn

from colorizer import signals
from colorizer.data import ColorizationData
from colorizer.files import atomic_write
from colorizer.ranges import NotNegative

# What of a checkpoint is this file's.
PLACE = "place"

# Of a checkpoint that is to be scored; the rest, mostly optimizers' states, is larger than these.
KEPT = ("state_dict", "epoch", "global_step", "pytorch-lightning_version", PLACE)


class Checkpoints(Checkpoint):
    """Writes best.ckpt, weights alone, after validations, and last.ckpt, to go on from.

    last.ckpt is written between two steps: every so many minutes, when a signal asks the training
    to stop, and at its end. It holds everything that the next step depends on; on a CPU a training
    that goes on from it ends with the same bits as one that was never interrupted.

    Args:
        folder: of the checkpoints.
        monitor: the validation metric that chooses the best weights.
        mode: `min` or `max`.
        every_minutes: between two writings of last.ckpt; 0: after every step.

    Raises:
        ValueError: a negative number of minutes, or one that is not finite.
    """

    def __init__(
        self, folder: str, monitor: str, mode: str, every_minutes: NotNegative = 5.0
    ) -> None:
        if type(every_minutes) not in (int, float) or not 0 <= every_minutes < math.inf:
            raise ValueError(f"callbacks.checkpoint.every_minutes={every_minutes}: minutes, from 0")
        self.best_path = Path(folder) / "best.ckpt"
        self.last_path = Path(folder) / "last.ckpt"
        self.monitor = monitor
        self.mode = mode
        self.every_seconds = 60 * every_minutes
        self.best: float | None = None
        self.seconds = 0.0
        """Of training so far, interruptions left out."""
        self._random: list[dict[str, Any]] = []
        self._between_epochs = False
        self._finished = False
        self._signal = 0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Let checkpoints be written completely or not at all."""
        trainer.strategy.checkpoint_io = WholeFiles()

    # --- when ---

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Go on with the random numbers where they were, and start the clock."""
        if self._random:
            _set_rng_states(self._random[trainer.global_rank])
        if self._between_epochs:
            # Lightning would take the epoch that is over for one to go on with.
            trainer.fit_loop.epoch_loop.restarting = False
            self._between_epochs = False
        self._clock = self._written = time.monotonic()
        signals.install()  # in place of Lightning's, which end a training without saving
        signals.postpone(True)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Write last.ckpt after a step, when it is time to."""
        # To agree, the processes of a multi-GPU training wait for each other.
        look = trainer.world_size == 1 or trainer.global_step % 10 == 0
        if look and _nothing_follows(trainer, batch_idx + 1) and self._due(trainer):
            self._write_last(trainer)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write last.ckpt between two epochs, when it is time to."""
        self._between_epochs = True
        if self._due(trainer):
            self._write_last(trainer)
        self._between_epochs = False

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write best.ckpt if the weights are the best so far."""
        if trainer.state.fn != TrainerFn.FITTING or trainer.sanity_checking:
            return
        value = float(trainer.callback_metrics[self.monitor])
        sign = 1 if self.mode == "min" else -1
        if math.isfinite(value) and (self.best is None or sign * value < sign * self.best):
            self.best = value
            self._write_best(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the last state; it is the best, too, where no validation has found another."""
        if self.best is None:
            self._write_best(trainer)
        self._finished = True
        self._due(trainer)
        self._write_last(trainer)
        signals.postpone(False)
        if number := signals.received():  # it came as the state was written
            raise signals.Stopped(number)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Let signals end the process at once again."""
        signals.postpone(False)

    def _due(self, trainer: pl.Trainer) -> bool:
        """Whether to write, and then to stop; every process of a training says the same."""
        late = time.monotonic() - self._written >= self.every_seconds
        self._signal = signals.received()
        if trainer.world_size > 1:
            both = torch.tensor([int(late), self._signal], device=trainer.strategy.root_device)
            torch.distributed.all_reduce(both, torch.distributed.ReduceOp.MAX)
            late, self._signal = both.tolist()
        return bool(late or self._signal)

    def _write_best(self, trainer: pl.Trainer) -> None:
        trainer.save_checkpoint(self.best_path, storage_options=KEPT)

    def _write_last(self, trainer: pl.Trainer) -> None:
        for logger in trainer.loggers:
            logger.save()
        trainer.save_checkpoint(self.last_path)
        self._written = time.monotonic()
        if self._signal:
            raise signals.Stopped(self._signal)

    # --- what ---

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add what Lightning leaves out: the place in the epoch, random states, the best so far."""
        now = time.monotonic()
        self.seconds, self._clock = self.seconds + now - self._clock, now
        progress = trainer.fit_loop.epoch_loop.batch_progress
        if self._between_epochs:
            for count in checkpoint["loops"]["fit_loop"]["epoch_progress"].values():
                count["ready"] -= 1  # the next epoch has not begun
        checkpoint[PLACE] = {
            "batches": 0 if self._between_epochs else progress.current.ready,
            "between_epochs": self._between_epochs,
            "finished": self._finished,
            "best": self.best,
            "seconds": self.seconds,
            "random": _random_states(trainer),
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take over what `on_save_checkpoint` wrote."""
        place = checkpoint[PLACE]
        self.best, self.seconds = place["best"], place["seconds"]
        self._between_epochs, self._random = place["between_epochs"], place["random"]
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ColorizationData)
        data.start_at(checkpoint["epoch"], place["batches"])


class WholeFiles(TorchCheckpointIO):
    """Writes a checkpoint beside its target, and then in its place."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write all, or the entries that `storage_options` names.

        Raises OSError, where the target is left as it was.
        """
        path = Path(path)
        if storage_options is not None:
            checkpoint = {name: checkpoint[name] for name in storage_options}
        path.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()  # torch.save makes a RuntimeError of a full disk
        torch.save(checkpoint, content)
        with atomic_write(path) as part:
            part.write_bytes(content.getbuffer())


def _nothing_follows(trainer: pl.Trainer, batches: int) -> bool:
    """True if the next thing after so many batches of an epoch is another one.

    Not where gradients are accumulated, a validation follows, or the epoch or the training ends.
    """
    interval = trainer.val_check_batch
    validates = interval is not None and (
        batches % interval == 0 or (trainer.fit_loop.total_batch_idx + 1) % interval == 0
    )
    return not (
        batches % trainer.accumulate_grad_batches
        or batches >= trainer.num_training_batches
        or validates
        or trainer.should_stop
        or trainer.global_step == trainer.max_steps
    )


def _random_states(trainer: pl.Trainer) -> list[dict[str, Any]]:
    """The states of all random generators of each process, in plain containers."""
    own = _collect_rng_states()
    own["numpy"] = tuple(s.tolist() if hasattr(s, "tolist") else s for s in own["numpy"])
    if trainer.world_size == 1:
        return [own]
    states: list[Any] = [None] * trainer.world_size
    torch.distributed.all_gather_object(states, own)
    return states
