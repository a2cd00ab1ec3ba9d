"""Crops of pictures: cutting them, and keeping them in the user's cache folder."""

import json
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from colorizer.data.base import Split, SplitName
from colorizer.data.photos import crop_grid
from colorizer.data.picture_splits import TooFewError, signature, split_pictures
from colorizer.files import atomic_write
from colorizer.picture_files import PictureError, read_picture

log = logging.getLogger(__name__)

SPLITS: tuple[SplitName, ...] = ("train", "val", "test")

# A picture is gray if the channels of at most this share of its pixels differ by more than so many
# 8-bit units, as compression makes them.
GRAY_SHARE, GRAY_UNITS = 0.001, 8

# Pictures that take a moment.
MANY = 30


class Cut(NamedTuple):
    """How pictures become the crops of splits, see `colorizer.data.image_folder.ImageFolder`."""

    image_size: int
    crops: str
    scales: tuple[float, ...]
    crops_per_scale: int
    val_share: float
    test_share: float

    @property
    def smallest(self) -> int:
        """The shorter side of the smallest picture that has a crop, in pixels."""
        return round(self.image_size * min(self.scales))

    def of_picture(self, picture: Image.Image, name: str, split: SplitName) -> Tensor:
        """The crops of a picture: uint8 (N, 3, size, size).

        Args:
            picture: of mode RGB.
            name: the hash of its content, by which crops are chosen.
            split: that it is in.
        """
        size = self.image_size
        if self.crops == "center":
            square = ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC)
            return _tensor(square)[None]
        pixels, found = _tensor(picture), []
        generator = torch.Generator().manual_seed(int(name[:8], 16))
        for scale in self.scales:
            if scale * size <= min(picture.size):
                stride = size // 2 if split == "train" else size
                crops = crop_grid(pixels, size, [scale], stride)
                order = torch.randperm(len(crops), generator=generator)[: self.crops_per_scale]
                found.append(crops[order.sort().values])
        return torch.cat(found)


class Crops(NamedTuple):
    """What was cut out of pictures, which are known by the hash of their content.

    Args:
        splits: empty where there are too few pictures.
        order: the pictures, by label.
        left_out: reason to pictures, each with more to say of it or an empty text.
        different: how many pictures that can be used look different.
    """

    splits: dict[SplitName, Split]
    order: list[str]
    left_out: dict[str, dict[str, str]]
    different: int = 3

    def write(self, path: Path) -> None:
        """Keep them, where there is room."""
        tensors = {
            f"{name}.{part}": getattr(split, part).contiguous()
            for name, split in self.splits.items()
            for part in ("images", "labels")
        }
        notes = json.dumps({"order": self.order, "left_out": self.left_out})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as part:
                save_file(tensors, part, {"notes": notes})
        except Exception as error:  # the library's own where the disk is full
            log.warning("the crops could not be cached in %s: %s", path.parent, error)


def cached_crops(path: Path) -> Crops | None:
    """The crops of a cache; None where they were not written, or cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            notes = json.loads(file.metadata()["notes"])
            splits = {
                name: Split(*(file.get_tensor(f"{name}.{part}") for part in ("images", "labels")))
                for name in SPLITS
            }
            return Crops(splits, notes["order"], notes["left_out"])
    except Exception:
        return None


def read_crops(root: Path, files: dict[str, str], cut: Cut) -> Crops:
    """Read and cut up pictures, given by the hash of their content."""
    pictures: dict[str, Image.Image] = {}
    left_out: dict[str, dict[str, str]] = {}
    largest = round(cut.image_size * max(cut.scales))
    quick = len(files) < MANY
    for own, name in tqdm(files.items(), "reading pictures", disable=quick, leave=False):
        try:
            picture = read_picture((root / name).read_bytes(), largest)
        except (PictureError, OSError) as error:
            left_out.setdefault("cannot be read", {})[own] = str(error)
            continue
        if min(picture.size) < cut.smallest:
            left_out.setdefault(f"are smaller than {cut.smallest} pixels", {})[own] = ""
        elif _is_gray(picture):
            left_out.setdefault("are gray", {})[own] = ""
        else:
            pictures[own] = picture
    order = sorted(pictures)
    signatures = {own: signature(picture) for own, picture in pictures.items()}
    try:
        split_of = split_pictures(signatures, cut.val_share, cut.test_share)
    except TooFewError as error:
        return Crops({}, order, left_out, error.different)
    images: dict[SplitName, list[Tensor]] = {name: [] for name in SPLITS}
    labels: dict[SplitName, list[Tensor]] = {name: [] for name in SPLITS}
    for label, own in enumerate(order):
        crops = cut.of_picture(pictures.pop(own), own, split_of[own])
        images[split_of[own]].append(crops)
        labels[split_of[own]].append(torch.full((len(crops),), label))
    splits = {name: Split(torch.cat(images[name]), torch.cat(labels[name])) for name in SPLITS}
    return Crops(splits, order, left_out)


def _is_gray(picture: Image.Image) -> bool:
    pixels = np.asarray(picture)
    coloured = np.ptp(pixels, axis=2) > GRAY_UNITS
    return bool(coloured.mean() <= GRAY_SHARE)


def _tensor(picture: Image.Image) -> Tensor:
    """uint8 (3, H, W)."""
    return torch.from_numpy(np.asarray(picture).transpose(2, 0, 1).copy())
