"""Wrong images for the colorizer that `colorizer.load` gives, and wrong arguments of `load`."""

from functools import cache
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image

import colorizer
from colorizer.loaded import LoadedColorizer
from tests.fuzz.bench import Bench
from tests.fuzz.nasty import VALUES, word

DTYPES = (
    *(torch.float32, torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8),
    *(torch.int64, torch.bool, torch.complex64),
)
MODES = ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16", "LAB", "PA")
KINDS = ("f4", "f8", "f2", ">f4", "f16", "u1", "i8", "?", "c8", "O", "U3", "M8[s]")
SPECIAL = (float("nan"), float("inf"), -float("inf"), -1e-9, -0.1, 1.00001, 2.0, 255.0, 1e300)


def images(random: Random, bench: Bench) -> None:
    """Tensors, arrays and pictures of any shape, type and content."""
    given = random.choice((_tensor, _tensor, _array, _picture, _other))(random)
    bench.note = f"{type(given).__name__} {getattr(given, 'shape', '')} {given!r:.500}"
    made = _colorizer(bench)
    result = made(given)
    if isinstance(given, Image.Image):
        assert result.size == given.size
        assert result.mode == "RGB"
        return
    result = torch.as_tensor(result)
    assert result.dtype == torch.float32
    assert torch.isfinite(result).all()
    assert not len(result) or (result.min() >= 0 and result.max() <= 1)
    count, channels = given.numel() if isinstance(given, torch.Tensor) else given.size, 3
    assert result.numel() == channels * count


def arguments(random: Random, bench: Bench) -> None:
    """`colorizer.load` with wrong names and changes."""
    name = random.choice((word(random), str(bench.weights), str(bench.folder), "/dev/null"))
    change = random.choice(
        (f"model.widths={word(random)}", f"model.{word(random)}", f"{word(random)}=1", word(random))
    )
    changes = [change] if random.random() < 0.7 else []
    bench.note = repr((name, *changes))
    colorizer.load(name, *changes)(torch.zeros(1, 1, 8, 8))


def _tensor(random: Random) -> Any:
    shape = _shape(random)
    generator = torch.Generator().manual_seed(random.randrange(2**31))
    made = torch.rand(shape, generator=generator)
    if made.numel() and random.random() < 0.4:
        made = made.double()  # which holds all of them
        made.view(-1)[random.randrange(made.numel())] = random.choice(SPECIAL)
    made = made.to(random.choice(DTYPES))
    change = random.random()
    if change < 0.05 and made.ndim == 4:
        made = made.transpose(2, 3)
    elif change < 0.1:
        made = made.to_sparse() if made.ndim else made
    elif change < 0.13:
        made = made.to("meta")
    elif change < 0.18 and made.is_floating_point():
        made = made.requires_grad_()
    return made


def _array(random: Random) -> Any:
    shape = random.choice((_shape(random), (random.randrange(40), random.randrange(40))))
    made = np.random.default_rng(random.randrange(2**31)).random(shape)
    if made.size and random.random() < 0.3:
        made.reshape(-1)[random.randrange(made.size)] = random.choice(SPECIAL)
    kind = random.choice(
        ("f4", "f8", "f2", ">f4", "f16", "u1", "i8", "?", "c8", "O", "U3", "M8[s]")
    )
    with np.errstate(all="ignore"):
        made = made.astype("i8").astype(kind) if kind == "M8[s]" else made.astype(kind)
    if random.random() < 0.2 and made.ndim >= 2:
        made = made[..., ::-1]
    return made


def _picture(random: Random) -> Any:
    size = (random.choice((1, 3, 8, 33, 40)), random.choice((1, 2, 8, 31)))
    mode = random.choice(MODES)
    made = Image.new(mode if mode != "PA" else "P", size)
    return made.convert("PA") if mode == "PA" else made


def _other(random: Random) -> Any:
    return random.choice(
        (*VALUES, [[0.5]], b"x", object(), iter([]), range(3), Image, np.float64(1))
    )


def _shape(random: Random) -> tuple[int, ...]:
    sides = (0, 1, 2, 3, 7, 8, 16, 31, 32, 45)
    usual = (random.choice((0, 1, 1, 2, 3)), random.choice((1, 1, 1, 1, 3, 0)))
    whole = (*usual, random.choice(sides), random.choice(sides))
    return whole if random.random() < 0.8 else whole[: random.randrange(4)]


@cache
def _loaded(path: str) -> LoadedColorizer:
    return colorizer.load(path)


def _colorizer(bench: Bench) -> LoadedColorizer:
    return _loaded(str(bench.weights))
