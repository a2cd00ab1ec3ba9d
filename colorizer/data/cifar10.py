"""CIFAR-10, the official images with the official checksums."""

import csv
import hashlib
import pickle
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor

from colorizer.data.base import ColorizationData, Split, SplitName
from colorizer.errors import UserError
from colorizer.ranges import Count, Seed

TRAIN_IMAGES = 50_000

# Indices of test images and training images that show nearly the same.
TWINS = Path(__file__).parent / "cifar10_twins.csv"


class CIFAR10(ColorizationData):
    """CIFAR-10 (Krizhevsky 2009): 45,000 images to train, 5,000 to select, 10,000 to test.

    The official training images are split by a seed of the data's own, so that every run validates
    on the same 5,000. Every file's MD5 is checked before it is read.

    Args:
        image_size: 32, the only size there is; networks that need the size read it here.
        root: folder that holds, or will hold, `cifar-10-batches-py`.
        download: fetch the data set when the folder is not there. Files that are there are never
            overwritten.
        val_images: how many official training images are for validation.
        split_seed: which ones.
        train_images: train on so many of the others, chosen by that seed; None: on all.
        **kwargs: see `ColorizationData`.
    """

    name = "cifar10"
    image_size = 32
    location_keys = ("root", "download")
    classes = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )

    def __init__(
        self,
        root: str,
        download: bool = True,
        image_size: int = 32,
        val_images: Count = 5000,
        split_seed: Seed = 0,
        train_images: Count | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if image_size != 32:
            raise ValueError(f"data.image_size={image_size}: CIFAR-10 images are 32 pixels wide")
        if not 0 < val_images < TRAIN_IMAGES:
            raise ValueError(f"data.val_images={val_images}: between 1 and {TRAIN_IMAGES - 1}")
        self.root = Path(root)
        self.download = download
        self.val_images = val_images
        left = TRAIN_IMAGES - val_images
        if train_images is not None and not 0 < train_images <= left:
            raise ValueError(f"data.train_images={train_images}: between 1 and {left}")
        self.split_seed = split_seed
        self.train_images = train_images

    def prepare_data(self) -> None:
        """Download the data set where it is missing (in one process only).

        Raises:
            UserError: it is missing and cannot be had, or a file is missing or altered.
        """
        from torchvision import datasets

        folder = self.root / datasets.CIFAR10.base_folder
        if not folder.is_dir():
            if not self.download:
                raise UserError(f"{_not_found(folder)} data.download=true fetches it.")
            try:
                datasets.CIFAR10(str(self.root), download=True)
            except (URLError, RuntimeError, ConnectionError, TimeoutError) as error:
                reason = getattr(error, "reason", error)
                raise UserError(
                    f"{_not_found(folder)} The download failed ({reason}).\n"
                    "Set COLORIZER_DATA (or data.root) to the folder that holds "
                    "cifar-10-batches-py, or use data=photos, which needs no download."
                ) from error
            except OSError as error:
                raise UserError(f"cannot write CIFAR-10 to {self.root}: {error}") from error
        for name, md5 in _official_files():
            _check_md5(folder / name, md5)

    def content_fingerprint(self) -> str | None:
        """None: the files have the official MD5s. A subclass may change the content."""
        return None if type(self) is CIFAR10 else super().content_fingerprint()

    def near_duplicates(self, name: SplitName) -> Sequence[int]:
        """Return the 286 test images with a twin in the official training set.

        Found by Barz and Denzler 2020, "Do We Train on Test Data? Purging CIFAR of
        Near-Duplicates" (ciFAIR): 249 that differ by little (judgment 1), 37 of very similar ones.
        """
        if name != "test":
            return ()
        with TWINS.open(newline="") as file:
            return [int(row["test"]) for row in csv.DictReader(file)]

    def load_splits(self) -> dict[SplitName, Split]:
        """Check and read the six batch files."""
        self.prepare_data()
        from torchvision import datasets

        folder = self.root / datasets.CIFAR10.base_folder
        splits = dict(_cut(folder.absolute(), self.val_images, self.split_seed))
        if self.train_images:
            train = splits["train"]
            few = slice(self.train_images)  # of images in random order
            splits["train"] = Split(train.images[few], train.labels[few])
        return splits


def _not_found(folder: Path) -> str:
    return f"CIFAR-10 is not at {folder.absolute()}."


def _official_files() -> list[tuple[str, str]]:
    from torchvision import datasets

    meta = (datasets.CIFAR10.meta["filename"], datasets.CIFAR10.meta["md5"])
    return [*map(tuple, datasets.CIFAR10.train_list + datasets.CIFAR10.test_list), meta]


def _check_md5(path: Path, md5: str) -> None:
    # torchvision takes a damaged file for one to be downloaded over; the user should decide that.
    if not path.is_file():
        raise UserError(
            f"CIFAR-10 is incomplete: {path.absolute()} is missing. Nothing was downloaded over "
            "it; remove the folder to have it fetched again."
        )
    status = path.stat()
    found = _md5(path.absolute(), status.st_size, status.st_mtime_ns)
    if found != md5:
        raise UserError(
            f"{path.absolute()} is cut short or altered: its MD5 is {found}, the official file's "
            f"is {md5}. Nothing was downloaded over it; remove the folder to have it fetched again."
        )


@lru_cache(maxsize=32)
def _md5(path: Path, size: int, modified: int) -> str:
    """The MD5 of a file, cached for as long as its size and time of modification stay."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


@lru_cache(maxsize=1)
def _cut(folder: Path, val_images: int, split_seed: int) -> dict[SplitName, Split]:
    """The splits of batch files whose MD5 was checked, cached for the process's next job."""
    from torchvision import datasets

    images, labels = _read(folder, tuple(name for name, _ in datasets.CIFAR10.train_list))
    order = torch.randperm(TRAIN_IMAGES, generator=torch.Generator().manual_seed(split_seed))
    val, train = order[:val_images], order[val_images:]
    return {
        "train": Split(images[train], labels[train]),
        "val": Split(images[val], labels[val]),
        "test": Split(*_read(folder, tuple(name for name, _ in datasets.CIFAR10.test_list))),
    }


def _read(folder: Path, names: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """uint8 (N, 3, 32, 32) and int64 (N,)."""
    batches = []
    for name in names:
        with (folder / name).open("rb") as file:
            batches.append(pickle.load(file, encoding="latin1"))
    images = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
    labels = [label for batch in batches for label in batch["labels"]]
    return torch.from_numpy(images), torch.tensor(labels)
