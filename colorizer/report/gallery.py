"""Example pictures of several runs."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from torch import Tensor

from colorizer.pictures import Examples
from colorizer.runs import EXAMPLES, Run


@dataclass
class Gallery:
    """The same images through several colorizers."""

    gray: Tensor
    true: Tensor
    predicted: dict[str, Tensor] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, Tensor]]:
        """Labels and images: gray, every run's, true."""
        return [("gray", self.gray), *self.predicted.items(), ("true", self.true)]


def galleries_of(runs: Iterable[tuple[str, Run]]) -> list[Gallery]:
    """Read the example pictures of named runs; those of the same images make a gallery."""
    found: dict[str, Gallery] = {}
    for name, run in runs:
        if (run.folder / EXAMPLES).is_file():
            examples = Examples.load(run.folder / EXAMPLES)
            key = hashlib.sha256(examples.true.numpy().tobytes()).hexdigest()
            gallery = found.setdefault(key, Gallery(examples.gray, examples.true))
            gallery.predicted[name] = examples.predicted
    return list(found.values())
