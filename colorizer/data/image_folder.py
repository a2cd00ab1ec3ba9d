"""Crops of any folder of pictures."""

import hashlib
import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import PIL
from tqdm import tqdm

from colorizer.cache import cache_folder, code_of
from colorizer.data.base import ColorizationData, Split, SplitName
from colorizer.data.photos import Scale
from colorizer.data.picture_crops import MANY, Cut, cached_crops, read_crops
from colorizer.errors import UserError
from colorizer.picture_files import SUFFIXES, picture_files
from colorizer.ranges import Count, Length, Range

log = logging.getLogger(__name__)

# Names of files in a message.
MOST_NAMES = 5

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
    crops = (cached_crops(path) if cache else None) or read_crops(root, files, cut)
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
