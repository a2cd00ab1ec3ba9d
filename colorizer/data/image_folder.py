"""Crops of any folder of pictures."""

import hashlib
import json
import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import PIL
import torch
from PIL import Image, ImageOps
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from colorizer.cache import cache_folder, code_of
from colorizer.data.base import ColorizationData, Split, SplitName
from colorizer.data.photos import Scale, crop_grid
from colorizer.data.picture_splits import TooFewError, signature, split_pictures
from colorizer.errors import UserError
from colorizer.files import atomic_write
from colorizer.picture_files import SUFFIXES, PictureError, picture_files, read_picture
from colorizer.ranges import Count, Length, Range

log = logging.getLogger(__name__)

SPLITS: tuple[SplitName, ...] = ("train", "val", "test")

# A picture is gray if the channels of at most this share of its pixels differ by more than so many
# 8-bit units, as compression makes them.
GRAY_SHARE, GRAY_UNITS = 0.001, 8

# Names of files in a message.
MOST_NAMES = 5

# Pictures that take a moment.
MANY = 30

HeldOut = Annotated[float, Range(0, 0.9, above=True)]


class ImageFolder(ColorizationData):
    """Square crops of the pictures in a folder, and in the folders below it.

    JPEG, PNG, TIFF and WebP, as `colorizer.picture_files` reads them. Left out, with a line that
    names them: files that cannot be read, gray pictures, pictures smaller than a crop, and copies.
    Pictures are split by a hash of their content (see `split_pictures`), so that all crops of one
    are in the same split, and names and places do not matter. Crops are read once and cached.

    Args:
        root: the folder.
        image_size: side of a crop in pixels, such as 32, 64 or 128.
        crops: `center`: one of each picture, the largest square in its centre, shrunk; `grid`:
            several, at several scales. Those that are trained on overlap by half, others adjoin.
        scales: of a grid: the picture's shorter side, in multiples of `image_size`, when it is cut
            up. Scales that would enlarge a picture are left out.
        crops_per_scale: of a grid: at most so many of each picture at each scale, chosen at random
            by its content.
        val_share: of the pictures, for validation.
        test_share: of the pictures, for the final scores.
        cache: keep the crops in the user's cache folder.
        **kwargs: see `ColorizationData`.
    """

    name = "image_folder"
    location_keys = ("root", "cache")

    def __init__(
        self,
        root: str,
        image_size: Annotated[int, Range(8, 512)] = 64,
        crops: Literal["center", "grid"] = "grid",
        scales: Annotated[Sequence[Scale], Length(1, 20)] = (1, 1.5, 2, 3, 4),
        crops_per_scale: Count = 16,
        val_share: HeldOut = 0.1,
        test_share: HeldOut = 0.1,
        cache: bool = True,
        **kwargs: Any,
    ) -> None:
        self.image_size = image_size
        super().__init__(**kwargs)
        if crops not in ("center", "grid"):
            raise ValueError(f"data.crops={crops}: center or grid")
        if val_share + test_share >= 1:
            raise ValueError(
                f"data.val_share={val_share}: with data.test_share={test_share} nothing is left "
                "to train on"
            )
        self.root = Path(root)
        self.cache = cache
        chosen = (1.0,) if crops == "center" else tuple(float(scale) for scale in scales)
        self.cut = Cut(image_size, crops, chosen, crops_per_scale, val_share, test_share)

    def prepare_data(self) -> None:
        """Read the pictures (in one process only), so that the others find them in the cache.

        Raises:
            UserError: see `load_splits`.
        """
        self.split("train")

    def load_splits(self) -> dict[SplitName, Split]:
        """Read the pictures, or their crops from the cache.

        Raises:
            UserError: there is no such folder, or there are too few pictures in it that can be
                used.
        """
        return self._content().splits

    @property
    def files(self) -> Sequence[str]:
        """The pictures, by label: the paths of their files below the folder."""
        return self._content().files

    def _content(self) -> "Content":
        try:
            paths = picture_files(self.root)
            stats = [path.stat() for path in paths]
        except OSError as error:
            raise UserError(
                f"data.root={self.root} cannot be read: {error.strerror}; it is the folder with "
                "the pictures"
            ) from error
        if not paths:
            raise UserError(
                f"data.root={self.root}: no pictures there, nor in the folders below it; they are "
                f"files that end in {', '.join(SUFFIXES)}"
            )
        listing = tuple(
            (path.relative_to(self.root).as_posix(), stat.st_size, stat.st_mtime_ns)
            for path, stat in zip(paths, stats, strict=True)
        )
        return _content(self.root.absolute(), listing, self.cut, self.cache)


class Cut(NamedTuple):
    """How pictures become the crops of splits, see `ImageFolder`."""

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


class Content(NamedTuple):
    """Of a folder: the splits, and the files by label."""

    splits: dict[SplitName, Split]
    files: list[str]


@lru_cache(maxsize=2)
def _content(
    root: Path, listing: tuple[tuple[str, int, int], ...], cut: Cut, cache: bool
) -> Content:
    """What a folder with these files (path, size, time of modification) holds.

    Kept for the process's next job, as long as these stay.
    """
    files: dict[str, str] = {}
    left_out: dict[str, list[str]] = {}
    quick = len(listing) < MANY
    for name, _, _ in tqdm(listing, "looking at pictures", disable=quick, leave=False):
        try:
            with (root / name).open("rb") as file:
                own = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            left_out.setdefault("cannot be read", []).append(f"{name} ({error.strerror})")
            continue
        if files.setdefault(own, name) != name:
            left_out.setdefault("are copies", []).append(f"{name} (of {files[own]})")
    code = code_of(__name__, start=f"{cut} Pillow {PIL.__version__}")
    key = hashlib.sha256("\n".join([code, *sorted(files)]).encode()).hexdigest()[:16]
    path = cache_folder() / "pictures" / f"{key}.safetensors"
    crops = (_cached(path) if cache else None) or _read(root, files, cut)
    for reason, names in crops.left_out.items():
        noted = (f"{files[own]} ({why})" if why else files[own] for own, why in names.items())
        left_out.setdefault(reason, []).extend(noted)
    notes = [_note(reason, names, len(listing)) for reason, names in left_out.items()]
    if not crops.splits:
        said = f": {'; '.join(notes)}" if notes else ""
        raise UserError(
            f"data.root={root}: at least 3 pictures that look different are needed, to train, to "
            f"validate and to test with; {crops.different} can be used{said}"
        )
    for note in notes:
        log.warning("%s: %s", root, note)
    if cache and not path.is_file():
        crops.write(path)
    return Content(crops.splits, [files[own] for own in crops.order])


def _note(reason: str, names: Sequence[str], pictures: int) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    shown = ", ".join(sorted(names)[:MOST_NAMES])
    return f"{len(names)} of {pictures} pictures {reason} and are left out: {shown}{more}"


class _Crops(NamedTuple):
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


def _cached(path: Path) -> _Crops | None:
    """The crops of a cache; None where they were not written, or cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            notes = json.loads(file.metadata()["notes"])
            splits = {
                name: Split(*(file.get_tensor(f"{name}.{part}") for part in ("images", "labels")))
                for name in SPLITS
            }
            return _Crops(splits, notes["order"], notes["left_out"])
    except Exception:
        return None


def _read(root: Path, files: dict[str, str], cut: Cut) -> _Crops:
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
        return _Crops({}, order, left_out, error.different)
    images: dict[SplitName, list[Tensor]] = {name: [] for name in SPLITS}
    labels: dict[SplitName, list[Tensor]] = {name: [] for name in SPLITS}
    for label, own in enumerate(order):
        crops = cut.of_picture(pictures.pop(own), own, split_of[own])
        images[split_of[own]].append(crops)
        labels[split_of[own]].append(torch.full((len(crops),), label))
    splits = {name: Split(torch.cat(images[name]), torch.cat(labels[name])) for name in SPLITS}
    return _Crops(splits, order, left_out)


def _is_gray(picture: Image.Image) -> bool:
    pixels = np.asarray(picture)
    coloured = np.ptp(pixels, axis=2) > GRAY_UNITS
    return bool(coloured.mean() <= GRAY_SHARE)


def _tensor(picture: Image.Image) -> Tensor:
    """uint8 (3, H, W)."""
    return torch.from_numpy(np.asarray(picture).transpose(2, 0, 1).copy())
