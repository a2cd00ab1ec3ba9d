"""Which pictures are trained on, and which are held out: by their content alone."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from colorizer.data.base import SplitName

# Of 64 bits, those in which signatures of two pictures that show the same may differ: copies of
# another size, quality or brightness differ in at most 3, other photographs hardly ever in so few.
ALIKE = 5


class TooFewError(ValueError):
    """There are fewer than 3 pictures that look different."""

    def __init__(self, different: int) -> None:
        super().__init__(f"{different} pictures that look different: at least 3")
        self.different = different


def signature(picture: Image.Image) -> int:
    """64 bits that hardly change when a picture is shrunk, compressed or lightened.

    Whether each of 8x8 parts is lighter than its right neighbour (the difference hash).
    """
    small = picture.convert("L").resize((9, 8), Image.Resampling.BOX)
    gray = np.asarray(small, dtype=np.int16)
    return int.from_bytes(np.packbits(gray[:, 1:] > gray[:, :-1]).tobytes(), "big")


def split_pictures(
    signatures: Mapping[str, int], val_share: float, test_share: float
) -> dict[str, SplitName]:
    """The split of each picture, which it keeps when others come or go.

    The hash of a picture, as a fraction, is its place: below `test_share` it is tested with, below
    the sum of the shares it is validated with. Where that leaves a split empty, it gets the picture
    with the lowest hash that is left. Pictures that look the same have the split of the lowest hash
    among them.

    Args:
        signatures: of each picture's look, by the hash of its content: at least 8 hexadecimal
            digits.
        val_share: of the pictures, in (0, 1).
        test_share: the same.

    Raises:
        TooFewError: fewer than 3 pictures that look different.
    """
    hashes = sorted(signatures)
    first = _first_alike([signatures[name] for name in hashes])
    homes = sorted(set(first))
    if len(homes) < 3:
        raise TooFewError(len(homes))
    places = [int(hashes[home][:8], 16) / 2**32 for home in homes]
    test = min(max(1, sum(place < test_share for place in places)), len(homes) - 2)
    held_out = sum(place < test_share + val_share for place in places)
    held_out = min(max(test + 1, held_out), len(homes) - 1)
    split_of_home: dict[int, SplitName] = {
        home: "test" if number < test else "val" if number < held_out else "train"
        for number, home in enumerate(homes)
    }
    return {name: split_of_home[home] for name, home in zip(hashes, first, strict=True)}


def _first_alike(signatures: Sequence[int]) -> list[int]:
    """For each picture the number of the first one that it looks like, itself or an earlier one."""
    bits: npt.NDArray[np.uint64] = np.array(signatures, dtype=np.uint64)
    first: list[int] = []
    for number, own in enumerate(bits):
        differing = np.unpackbits((bits[:number] ^ own).view(np.uint8).reshape(-1, 8), axis=1)
        (alike,) = np.nonzero(differing.sum(1) <= ALIKE)
        first.append(first[alike[0]] if len(alike) else number)
    return first
