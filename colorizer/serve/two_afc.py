"""Two-alternative forced choice for people: the plan of a session, and the answers to it.

After Zhang, Isola, Efros 2016, "Colorful Image Colorization", section 3.1: pairs of a real image
and a coloured one, shown for one second, at 256 pixels; 10 pairs to practise with, with feedback,
then 40 that count, without; one colorizer in a session; and among the pairs some that anybody who
looks gets right. Theirs have colours at random, and they ask which one is fake; ours are gray, and
we ask which one is real.
"""

import datetime
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypedDict

import numpy as np

PAIRS, SECONDS = 40, 1.0

# One pair to practise with for every 4 that count, and one check for every 10.
PER_PRACTICE, PER_CHECK = 4, 10

# Of the lines in a file of answers.
FORMAT = 1

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")

Kind = Literal["practice", "pair", "check"]
"""What a pair is for: it is left out, it counts, or it says whether the person looks."""


class Trial(NamedTuple):
    """A pair: what it is for, which image of the test set it shows, and where the real one is."""

    kind: Kind
    image: int
    real: Side


class Answer(TypedDict):
    """A line in a file of answers."""

    format: int
    session: str
    seed: int
    colorizer: str
    weights: str
    """Fingerprint of the colorizer's weights."""
    trial: int
    """From 0, among all of the session's, those to practise with included."""
    trials: int
    kind: Kind
    image: int
    """Index in the official test set."""
    real: Side
    chosen: Side
    shown_ms: float
    """How long the pair was to be seen, in milliseconds, as the browser has measured it."""
    answer_ms: float
    """From its end to the answer."""
    time: str
    """ISO 8601, UTC."""


def plan(seed: int, images: int, colorful: Sequence[int], pairs: int = PAIRS) -> list[Trial]:
    """Plan a session: the same for the same arguments. No image comes twice.

    Args:
        seed: of the images, their order, and the sides.
        images: how many there are.
        colorful: indices of those that nobody takes for gray ones, for the checks.
        pairs: how many count.
    """
    random = np.random.default_rng(seed)
    checks = math.ceil(pairs / PER_CHECK)
    checked = random.choice(np.asarray(colorful), checks, replace=False)
    others = np.setdiff1d(np.arange(images), checked)
    practice = math.ceil(pairs / PER_PRACTICE)
    chosen = random.choice(others, practice + pairs, replace=False)
    counting: list[tuple[Kind, int]] = [
        *(("pair", int(image)) for image in chosen[practice:]),
        *(("check", int(image)) for image in checked),
    ]
    order = random.permutation(len(counting))
    kinds = [
        *(("practice", int(image)) for image in chosen[:practice]),
        *(counting[i] for i in order),
    ]
    sides = random.integers(0, 2, len(kinds))
    return [
        Trial(kind, image, SIDES[side]) for (kind, image), side in zip(kinds, sides, strict=True)
    ]


@dataclass
class Session:
    """One person's session with one colorizer.

    Args:
        seed: of its plan.
        colorizer: the name.
        weights: fingerprint of its weights.
        trials: see `plan`.
    """

    seed: int
    colorizer: str
    weights: str
    trials: list[Trial]
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    given: list[Answer] = field(default_factory=list)

    @property
    def position(self) -> int:
        """The index of the pair that is to be answered."""
        return len(self.given)

    @property
    def done(self) -> bool:
        """True if all pairs are answered."""
        return self.position == len(self.trials)

    def answer(self, said: Any) -> Answer | None:
        """Take what the browser says about the current pair; None for anything else.

        Such as for a pair that was answered already, by the first of two clicks.

        Args:
            said: with `trial`, `chosen`, `shown_ms` and `answer_ms`.
        """
        if self.done or not isinstance(said, dict) or said.get("trial") != self.position:
            return None
        chosen, times = said.get("chosen"), [said.get(key) for key in ("shown_ms", "answer_ms")]
        if chosen not in SIDES or not all(_is_time(time) for time in times):
            return None
        trial = self.trials[self.position]
        given: Answer = {
            "format": FORMAT,
            "session": self.name,
            "seed": self.seed,
            "colorizer": self.colorizer,
            "weights": self.weights,
            "trial": self.position,
            "trials": len(self.trials),
            "kind": trial.kind,
            "image": trial.image,
            "real": trial.real,
            "chosen": chosen,
            "shown_ms": round(float(said["shown_ms"]), 1),
            "answer_ms": round(float(said["answer_ms"]), 1),
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        self.given.append(given)
        return given


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < math.inf
