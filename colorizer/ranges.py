"""Ranges of arguments, beside their types: `depth: Annotated[int, Range(2, 100)]`.

By these the values of a config are checked, see `colorizer.config.bounds`; a class that is built
from Python gets what it is given.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple


class Range(NamedTuple):
    """Numbers from `low` to `high`; with `above` or `below` not these themselves."""

    low: float
    high: float = math.inf
    above: bool = False
    below: bool = False

    def __contains__(self, value: Any) -> bool:
        if (self.above and value == self.low) or (self.below and value == self.high):
            return False
        return self.low <= value <= self.high and abs(value) < math.inf

    def __str__(self) -> str:
        low = f"{'above' if self.above else 'from'} {_shown(self.low)}"
        if self.high == math.inf:
            return low
        return f"{low} {'and below' if self.below else 'to'} {_shown(self.high)}"


class Length(NamedTuple):
    """Lists of `least` to `most` values."""

    least: int
    most: int

    def __contains__(self, value: Any) -> bool:
        return self.least <= len(value) <= self.most

    def __str__(self) -> str:
        return f"of {self.least} to {self.most}" if self.least < self.most else f"of {self.least}"


def _shown(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else f"{number:g}"


Count = Annotated[int, Range(1, 2**31 - 1)]
Seed = Annotated[int, Range(0, 2**32 - 1)]
Positive = Annotated[float, Range(0, above=True)]
NotNegative = Annotated[float, Range(0)]
Share = Annotated[float, Range(0, 1)]
# Of a layer; with more there is no memory for it.
Channels = Annotated[int, Range(1, 8192)]
# At each resolution, the finest first; each halves the image.
Widths = Annotated[Sequence[Channels], Length(2, 10)]
