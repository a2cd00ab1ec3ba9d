"""The images of pairs that people choose from, from the official test set of CIFAR-10."""

import base64
import io
import threading
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TypedDict

import torch
from PIL import Image
from torch import Tensor

from colorizer.color import luma, rgb_to_chroma
from colorizer.colorizer import Colorizer
from colorizer.data import CIFAR10
from colorizer.errors import UserError, shown
from colorizer.evaluation.subjects import checked, compose_data
from colorizer.pictures import to_bytes
from colorizer.serve.answers import Answers
from colorizer.serve.offered import Offered
from colorizer.serve.two_afc import PAIRS, SECONDS, Session, plan

# Zhang et al. 2016 showed 256 pixels.
SHOWN = 256

# The least mean chroma of an image that is shown beside its gray version as a check: one in seven.
COLORFUL = 0.1

# Of a session; half an hour.
MOST_PAIRS = 500

# Milliseconds from one answer to the next pair; longer where there is feedback to read.
PAUSE, PAUSE_TO_READ = 500, 1500


class Shown(TypedDict):
    """A pair as the page gets it; images as data URIs, so that no file has a name."""

    session: str
    trial: int
    title: str
    note: str
    left: str
    right: str
    pause_ms: int
    shown_ms: int


class NoImages(UserError):  # noqa: N818  # named after what is missing
    """CIFAR-10 is not on this machine."""


def official_images(overrides: Sequence[str] = ()) -> Tensor:
    """The test set of CIFAR-10, uint8 (N, 3, 32, 32), where this machine has it.

    Raises:
        NoImages: it is not there.
        UserError: it is damaged, or an override of anything but `data.root`.
    """
    for override in overrides:
        if not override.startswith("data.root="):
            raise UserError(f"override {override!r}: serve takes data.root=FOLDER alone")
    data = compose_data(["data=cifar10", "data.download=false", *overrides])
    assert isinstance(data, CIFAR10)
    if not data.is_there:
        raise NoImages(
            f"CIFAR-10 is not at {data.root.absolute()}: "
            "$COLORIZER_DATA or data.root=FOLDER says where it is."
        )
    checked(data)
    return data.split("test").images


class Pairs:
    """The pairs of one session.

    Args:
        session: the plan.
        images: the test set, uint8 (N, 3, H, W).
        colorizer: of the session.
    """

    def __init__(self, session: Session, images: Tensor, colorizer: Colorizer) -> None:
        self.session = session
        self._real = images[[trial.image for trial in session.trials]]
        gray = luma(self._real.float().div(255))
        with torch.inference_mode():
            made = colorizer(gray)
        is_check = torch.tensor([trial.kind == "check" for trial in session.trials])
        made = torch.where(is_check.view(-1, 1, 1, 1), gray, made)
        self._made = to_bytes(made)

    def current(self) -> Shown:
        """The pair that is to be answered."""
        session = self.session
        index, trial = session.position, session.trials[session.position]
        real, made = map(_data_uri, self.images(index))
        note = self._feedback()
        return {
            "session": session.name,
            "trial": index,
            "title": self._title(index),
            "note": note,
            "left": real if trial.real == "left" else made,
            "right": real if trial.real == "right" else made,
            "pause_ms": PAUSE_TO_READ if note else PAUSE,
            "shown_ms": round(1000 * SECONDS),
        }

    def images(self, trial: int) -> tuple[Tensor, Tensor]:
        """The real and the other image of a pair, uint8 (3, H, W)."""
        return self._real[trial], self._made[trial]

    def _title(self, index: int) -> str:
        practice = sum(trial.kind == "practice" for trial in self.session.trials)
        if index < practice:
            return f"Practice {index + 1} of {practice}"
        return f"Pair {index - practice + 1} of {len(self.session.trials) - practice}"

    def _feedback(self) -> str:
        """What the person hears about the last answer: something in the practice alone."""
        given = self.session.given
        if not given:
            return ""
        last = given[-1]
        practice = last["kind"] == "practice"
        ends = practice and self.session.trials[self.session.position].kind != "practice"
        said = "Right." if last["chosen"] == last["real"] else f"The {last['real']} one was real."
        now = " From now on it counts, and nothing is said about your answers." if ends else ""
        return said + now if practice else ""


class ForcedChoice:
    """Sessions of the two-alternative forced choice, whose answers go into a file.

    Args:
        images: the test set, uint8 (N, 3, H, W).
        offered: the colorizers; a session gets one of those that had the fewest.
        answers: the file.
        pairs: how many count in a session.
        seed: of the first session in the file; each has the next.

    Raises:
        UserError: too many pairs or none, or a seed below 0; or a file that cannot be read.
    """

    def __init__(
        self, images: Tensor, offered: Offered, answers: Answers, pairs: int = PAIRS, seed: int = 0
    ) -> None:
        if pairs not in range(1, MOST_PAIRS + 1):
            raise UserError(f"pairs={shown(pairs)}: from 1 to {MOST_PAIRS}")
        if seed < 0:
            raise UserError(f"seed={shown(seed)}: 0 or more")
        self.answers = answers
        self._images = images
        self._offered = offered
        self._pairs = pairs
        self._seed = seed
        self._lock = threading.Lock()
        before = {answer["session"]: answer["colorizer"] for answer in answers.read()[0]}
        self._sessions = Counter(before.values())

    @property
    def lengths(self) -> tuple[int, int]:
        """How many pairs of a session are practice, and how many follow."""
        kinds = [trial.kind for trial in plan(0, len(self._images), self._colorful, self._pairs)]
        practice = kinds.count("practice")
        return practice, len(kinds) - practice

    def start(self) -> Pairs:
        """Begin a session."""
        with self._lock:
            name = min(self._offered.names, key=lambda known: self._sessions[known])
            seed = self._seed + self._sessions.total()
            self._sessions[name] += 1
        trials = plan(seed, len(self._images), self._colorful, self._pairs)
        session = Session(seed, name, self._offered.fingerprint(name), trials)
        return Pairs(session, self._images, self._offered.colorizer(name))

    @cached_property
    def _colorful(self) -> list[int]:
        chroma = rgb_to_chroma(self._images.float().div(255)).norm(dim=1).flatten(1).mean(1)
        return (chroma >= COLORFUL).nonzero().flatten().tolist()


def _data_uri(image: Tensor) -> str:
    """An image, uint8 (3, H, W), enlarged bicubically."""
    small = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    file = io.BytesIO()
    small.resize((SHOWN, SHOWN), Image.Resampling.BICUBIC).save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
