"""Rows of example images as a labelled picture."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from colorizer.color import luma, round_to_8_bits
from colorizer.errors import UserError
from colorizer.files import read_arrays


class Examples(NamedTuple):
    """The same images gray, as a colorizer predicts them, and in their true colours.

    Shapes: uint8 (N, 3, H, W) each.
    """

    gray: Tensor
    predicted: Tensor
    true: Tensor

    def save(self, path: Path) -> None:
        """Write an .npz file, which reports make their pictures from."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez_compressed(file, **{k: v.numpy() for k, v in self._asdict().items()})

    @classmethod
    def load(cls, path: Path) -> "Examples":
        """Read what `save` wrote.

        Raises:
            UserError: the file is damaged.
        """
        try:
            arrays = read_arrays(path)
            return cls(*(torch.from_numpy(arrays[name]) for name in cls._fields))
        except Exception as error:
            raise UserError(f"{path} is cut short or not a file of examples") from error

    def picture(self) -> Image.Image:
        """Rows gray, predicted and true."""
        return picture_of_rows(list(zip(self._fields, self, strict=True)))


def random_indices(count: int, images: int, seed: int) -> list[int]:
    """`images` of `count` indices, the same for the same seed."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[:images].tolist()


@torch.no_grad()
def colorize_examples(
    colorizer: Callable[[Tensor], Tensor], images: Tensor, device: torch.device
) -> Examples:
    """Images as a colorizer in evaluation mode colours their gray versions.

    Args:
        colorizer: (N, 1, H, W) -> (N, 3, H, W), both in [0, 1].
        images: uint8 (N, 3, H, W).
        device: of the colorizer.
    """
    gray = luma(images.float().div(255))
    predicted = colorizer(gray.to(device)).cpu()
    return Examples(to_bytes(gray.expand(-1, 3, -1, -1)), to_bytes(predicted), images)


def to_bytes(rgb: Tensor) -> Tensor:
    """Float in [0, 1] to uint8."""
    return round_to_8_bits(rgb).mul(255).round().to(torch.uint8)


def picture_of_rows(
    rows: Sequence[tuple[str, Tensor]], scale: int = 3, gap: int = 4, font_size: int = 15
) -> Image.Image:
    """A picture with a labelled row for each stack of images.

    Args:
        rows: label and uint8 (N, 3, H, W), all of the same shape.
        scale: pixels of the picture for each pixel, both ways.
        gap: between images, in pixels of the picture.
        font_size: of the labels, in pixels of the picture.
    """
    font = ImageFont.load_default(size=font_size)
    margin = _margin((label for label, _ in rows), gap, font_size)
    count, _, height, width = rows[0][1].shape
    cell_height, cell_width = height * scale + gap, width * scale + gap
    picture = Image.new(
        "RGB", (margin + count * cell_width, gap + len(rows) * cell_height), color="white"
    )
    draw = ImageDraw.Draw(picture)
    for row, (label, images) in enumerate(rows):
        top = gap + row * cell_height
        middle = top + height * scale // 2
        draw.text((gap, middle), label, fill="black", font=font, anchor="lm")
        for column, image in enumerate(images):
            tile = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
            tile = tile.resize((width * scale, height * scale), Image.Resampling.NEAREST)
            picture.paste(tile, (margin + column * cell_width, top))
    return picture


def row_of_picture(
    picture: Image.Image, labels: Sequence[str], label: str, gap: int = 4, font_size: int = 15
) -> Image.Image:
    """The images of one row of what `picture_of_rows` made, without the label.

    Args:
        picture: of the same gap and font size.
        labels: of its rows.
        label: of the row.
    """
    height = (picture.height - gap) // len(labels)
    top = gap + labels.index(label) * height
    return picture.crop((_margin(labels, gap, font_size), top, picture.width, top + height - gap))


def _margin(labels: Iterable[str], gap: int, font_size: int) -> int:
    """The width of the labels' column."""
    font = ImageFont.load_default(size=font_size)
    return 2 * gap + round(max(font.getlength(label) for label in labels))
