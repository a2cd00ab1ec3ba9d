"""The base of data sets: uint8 images, batched fetching, conversion on the device."""

import hashlib
import os
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Literal, NamedTuple

import pytorch_lightning as pl
import torch
from pytorch_lightning.overrides.distributed import UnrepeatedDistributedSampler
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from colorizer.color import luma
from colorizer.data.augment import shift_and_flip
from colorizer.data.sampler import GlobalBatches, SameBatches
from colorizer.errors import UserError
from colorizer.ranges import Count, Range

# Where data sets are looked for unless data.root says otherwise, as an OmegaConf interpolation.
DATA_ROOT = "${oc.env:COLORIZER_DATA,data}"

SplitName = Literal["train", "val", "test"]


class Batch(NamedTuple):
    """A batch as a task gets it.

    Shapes: `gray` float (B, 1, H, W) and `rgb` float (B, 3, H, W), both in [0, 1];
    `label` int64 (B,), the class or the photograph an image belongs to.
    """

    gray: Tensor
    rgb: Tensor
    label: Tensor


class RawBatch(NamedTuple):
    """A batch as it travels to the device: `rgb` uint8 (B, 3, H, W) and `label` int64 (B,)."""

    rgb: Tensor
    label: Tensor


class Split(Dataset[RawBatch]):
    """A split in memory; a batch is one indexing operation.

    Args:
        images: uint8 (N, 3, H, W).
        labels: int64 (N,).
    """

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] != 3:
            raise ValueError(
                f"expected uint8 images of shape (N, 3, H, W), got {images.dtype} "
                f"{tuple(images.shape)}"
            )
        self.images = images
        self.labels = labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> RawBatch:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> RawBatch:
        where = torch.tensor(indices)
        if self.images.is_cuda:  # from pageable memory the copy would wait for the device
            where = where.pin_memory().to(self.images.device, non_blocking=True)
        return RawBatch(self.images[where], self.labels[where])

    def on(self, device: torch.device) -> "Split":
        """The same images in the memory of a device."""
        return Split(self.images.to(device), self.labels.to(device))

    @cached_property
    def fingerprint(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of shape, images and labels."""
        digest = hashlib.sha256(repr(tuple(self.images.shape)).encode())
        for tensor in (self.images, self.labels):
            digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()[:16]


def already_collated(batch: RawBatch) -> RawBatch:
    """The `collate_fn` where `__getitems__` returns a batch; a worker process can pickle it."""
    return batch


class ColorizationData(pl.LightningDataModule):
    """Gray and colour batches from a data set of colour images.

    A subclass reads the images (`load_splits`); the rest is here. The validation and test splits
    are in order and never augmented.

    Args:
        batch_size: images per optimizer step over all devices; each gets an equal share.
        eval_batch_size: images per batch, on each device, in validation and test.
        num_workers: loader processes; 0 is fastest for images that lie in memory.
        max_shift: augmentation: a training image is moved by up to as many pixels each way.
        flip: augmentation: mirror half of the training images left to right.
        augmentations: more, by name, in their order, such as `kornia.augmentation`'s: RGB
            (B, 3, H, W) in [0, 1] -> the same, clamped afterwards. The gray image is made last.
    """

    name: str
    image_size: int
    classes: Sequence[str] = ()
    """The names of the labels, where they are classes."""
    caveat: str | None = None
    """What every table of results on this data is headed with."""
    location_keys: ClassVar[tuple[str, ...]] = ()
    """Config keys that only say where the data lies."""

    def __init__(
        self,
        batch_size: Count = 128,
        eval_batch_size: Count = 500,
        num_workers: Annotated[int, Range(0, 256)] = 0,
        max_shift: Annotated[int, Range(0, 1024)] = 2,
        flip: bool = True,
        augmentations: Mapping[str, Callable[[Tensor], Tensor] | None] | None = None,
    ) -> None:
        super().__init__()
        for key, value in (("batch_size", batch_size), ("eval_batch_size", eval_batch_size)):
            if value < 1:
                raise ValueError(f"data.{key}={value}: a batch has at least one image")
        if not 0 <= max_shift < self.image_size:
            raise ValueError(f"data.max_shift={max_shift}: at least 0, below {self.image_size}")
        self.batch_size = batch_size
        self.eval_batch_size = eval_batch_size
        self.num_workers = num_workers
        self.max_shift = max_shift
        self.flip = flip
        self.augmentations = dict(augmentations or {})
        self._splits: dict[SplitName, Split] = {}
        self._start = (0, 0)

    @abstractmethod
    def load_splits(self) -> dict[SplitName, Split]:
        """Read the images; raises UserError when they are missing or damaged."""

    def content_fingerprint(self) -> str | None:
        """16 hexadecimal digits of a SHA-256 of all images and labels, which are read for it.

        None for a data set whose content its config keys determine, `location_keys` aside.
        """
        names: tuple[SplitName, ...] = ("train", "val", "test")
        content = "".join(self.split(name).fingerprint for name in names)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def near_duplicates(self, name: SplitName) -> Sequence[int]:
        """Return the indices of images that show nearly the same as one that is trained on."""
        return ()

    def split(self, name: SplitName) -> Split:
        """Return a split, which is read on first use."""
        if not self._splits:
            self._splits = self.load_splits()
        return self._splits[name]

    def setup(self, stage: str) -> None:
        """Read the images before the first step."""
        self.split("test" if stage == "test" else "train")

    def device_batch_size(self, devices: int) -> int:
        """A device's share of `batch_size`.

        Raises:
            UserError: the share is not a whole number of images.
        """
        share, rest = divmod(self.batch_size, devices)
        if rest:
            fitting = max(1, round(self.batch_size / devices)) * devices
            raise UserError(
                f"data.batch_size={self.batch_size} does not divide over {devices} devices; "
                f"data.batch_size={fitting} does"
            )
        return share

    def start_at(self, epoch: int, batches: int) -> None:
        """Let the next `train_dataloader` begin in an epoch after so many batches."""
        self._start = (epoch, batches)

    def train_dataloader(self) -> DataLoader[RawBatch]:
        """Shuffled; the last, smaller batch of an epoch is dropped."""
        devices = self.trainer.world_size if self.trainer else 1
        share = self.device_batch_size(devices)
        images = len(self.split("train"))
        if images < self.batch_size:
            raise UserError(
                f"data.batch_size={self.batch_size} is more than the {images} training images"
            )
        overfits = self.trainer and self.trainer.overfit_batches > 0  # type: ignore[attr-defined]
        sampler = (SameBatches if overfits else GlobalBatches)(
            self.split("train"),
            self.batch_size,
            num_replicas=devices,
            rank=self.trainer.global_rank if self.trainer else 0,
            seed=int(os.environ.get("PL_GLOBAL_SEED", 0)),  # as Lightning's seed_everything set it
        )
        (sampler.epoch, sampler.skipped), self._start = self._start, (0, 0)
        return self._loader("train", batch_size=share, sampler=sampler)

    def val_dataloader(self) -> DataLoader[RawBatch]:
        """Batches in order, without augmentation."""
        return self._loader("val", batch_size=self.eval_batch_size)

    def test_dataloader(self) -> DataLoader[RawBatch]:
        """Batches in order, without augmentation."""
        return self._loader("test", batch_size=self.eval_batch_size)

    def predict_dataloader(self) -> DataLoader[RawBatch]:
        """The training split in order, without augmentation, as baselines are fitted on it."""
        return self._loader("train", batch_size=self.eval_batch_size)

    def _loader(
        self, name: SplitName, batch_size: int, sampler: Sampler[int] | None = None
    ) -> DataLoader[RawBatch]:
        split = self.split(name)
        if sampler is not None:
            split = self._resident(split)
        if sampler is None and self.trainer and self.trainer.world_size > 1:
            # The usual sampler pads, and would score some images twice.
            sampler = UnrepeatedDistributedSampler(
                split,
                num_replicas=self.trainer.world_size,
                rank=self.trainer.global_rank,
                shuffle=False,
            )
        return DataLoader(
            split,
            batch_size=batch_size,
            sampler=sampler,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=torch.cuda.is_available() and not split.images.is_cuda,
            collate_fn=already_collated,  # type: ignore[arg-type]  # of samples, says its type
            # Beginning a pass draws a number; it must not be one of the training's.
            generator=torch.Generator(),
        )

    def _resident(self, split: Split) -> Split:
        """The split in the memory of the trainer's GPU, where it takes a quarter of it or less.

        A batch is then fetched by the GPU itself, as in Jordan 2024 ("94% on CIFAR-10 in 3.29
        seconds on a single GPU"), which no processor keeps up with.
        """
        device = self.trainer.strategy.root_device if self.trainer else torch.device("cpu")
        if device.type != "cuda" or self.num_workers:
            return split
        free, _ = torch.cuda.mem_get_info(device)
        return split.on(device) if 4 * split.images.nbytes <= free else split

    def on_after_batch_transfer(self, batch: RawBatch, dataloader_idx: int) -> Batch:
        """Augment (training only), convert to float and make the gray image, on the device."""
        training = bool(self.trainer and self.trainer.training)
        return self.prepare(batch, augment=training)

    def prepare(self, batch: RawBatch, augment: bool = False) -> Batch:
        """Convert bytes to a `Batch`; the one place where the gray input is made."""
        images = batch.rgb
        if augment and (self.max_shift or self.flip):
            images = shift_and_flip(images, self.max_shift, self.flip)
        rgb = images.float().div_(255)
        for change in self.augmentations.values() if augment else ():
            rgb = change(rgb).clamp(0, 1) if change else rgb
        return Batch(luma(rgb), rgb, batch.label)
