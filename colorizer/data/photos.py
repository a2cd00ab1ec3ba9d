"""Photographs that ship with scikit-image: a data set that needs no download."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.data.base import ColorizationData, Split, SplitName
from colorizer.errors import UserError
from colorizer.ranges import Length, Range

# Those of natural colour. The motorcycle is the left view of a stereo pair.
Scale = Annotated[float, Range(0, 100, above=True)]

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "motorcycle", "rocket")


class Photos(ColorizationData):
    """Square crops, at several scales, of the photographs that scikit-image ships.

    Split by photograph, so that no test crop shares pixels with a training crop. Training crops
    overlap by half, the others adjoin. Far too little to learn colour from: its numbers are a smoke
    test.

    Args:
        train, val, test: photographs of each split, from `PHOTOGRAPHS`.
        image_size: side of a crop in pixels.
        scales: a photograph's shorter side, in multiples of `image_size`, when it is cut up.
        **kwargs: see `ColorizationData`.
    """

    name = "photos"
    caveat = "smoke test, not a result"

    def __init__(
        self,
        train: Sequence[str] = ("astronaut", "coffee", "motorcycle"),
        val: Sequence[str] = ("rocket",),
        test: Sequence[str] = ("chelsea",),
        image_size: Annotated[int, Range(2, 512)] = 32,
        scales: Annotated[Sequence[Scale], Length(1, 20)] = (2, 3, 4, 6, 8),
        **kwargs: Any,
    ) -> None:
        self.image_size = image_size
        super().__init__(**kwargs)
        self.photographs: dict[SplitName, tuple[str, ...]] = {
            "train": tuple(train),
            "val": tuple(val),
            "test": tuple(test),
        }
        self.scales = tuple(scales)
        used: set[str] = set()
        for split, names in self.photographs.items():
            for name in names:
                if name not in PHOTOGRAPHS:
                    raise ValueError(f"data.{split}: no photograph {name!r}; {PHOTOGRAPHS}")
                if name in used:
                    raise ValueError(f"data.{split}: {name!r} is in another split too")
                used.add(name)
            if not names:
                raise ValueError(f"data.{split}: at least one photograph")

    def content_fingerprint(self) -> str | None:
        """None: the photographs come with scikit-image. A subclass may change the content."""
        return None if type(self) is Photos else super().content_fingerprint()

    def load_splits(self) -> dict[SplitName, Split]:
        """Cut every photograph into crops."""
        return {
            split: _crops(
                names,
                self.image_size,
                self.scales,
                stride=self.image_size // 2 if split == "train" else self.image_size,
            )
            for split, names in self.photographs.items()
        }


@lru_cache(maxsize=8)
def _crops(names: tuple[str, ...], size: int, scales: tuple[float, ...], stride: int) -> Split:
    """The crops of some photographs, cached for the process's next job."""
    images = [crop_grid(_photograph(name), size, scales, stride) for name in names]
    labels = [
        torch.full((len(crops),), PHOTOGRAPHS.index(name))
        for name, crops in zip(names, images, strict=True)
    ]
    return Split(torch.cat(images), torch.cat(labels))


def crop_grid(photograph: Tensor, size: int, scales: Sequence[float], stride: int) -> Tensor:
    """Square crops, `stride` apart, of a photograph shrunk to a shorter side of `scale * size`.

    Shapes: uint8 (3, H, W) -> uint8 (N, 3, size, size). Scales that would enlarge are left out.
    """
    crops = []
    for scale in scales:
        factor = scale * size / min(photograph.shape[1:])
        if factor > 1:
            continue
        height, width = (round(side * factor) for side in photograph.shape[1:])
        shrunk = F.interpolate(
            photograph[None].float(), size=(height, width), mode="bicubic", antialias=True
        )
        shrunk = shrunk.clamp(0, 255).round().to(torch.uint8)[0]
        tiles = shrunk.unfold(1, size, stride).unfold(2, size, stride)
        # tiles: (3, rows, columns, size, size)
        crops.append(tiles.flatten(1, 2).transpose(0, 1))
    if not crops:
        raise UserError(
            f"data.scales={list(scales)}, data.image_size={size}: a photograph of "
            f"{photograph.shape[2]}x{photograph.shape[1]} would have to be enlarged"
        )
    return torch.cat(crops)


def _photograph(name: str) -> Tensor:
    """uint8 (3, H, W)."""
    from skimage import data

    readers: dict[str, Callable[[], np.ndarray]] = {
        "astronaut": data.astronaut,
        "chelsea": data.chelsea,
        "coffee": data.coffee,
        "motorcycle": lambda: data.stereo_motorcycle()[0],
        "rocket": data.rocket,
    }
    return torch.from_numpy(np.ascontiguousarray(readers[name]().transpose(2, 0, 1)))
