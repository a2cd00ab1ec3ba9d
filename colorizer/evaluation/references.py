"""What colorizers are compared with; computed once and kept."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from colorizer.cache import cache_folder, code_of
from colorizer.color import round_to_8_bits
from colorizer.colorizer import Sampling
from colorizer.console import complain, say
from colorizer.data import Batch, ColorizationData, SplitName
from colorizer.errors import UserError
from colorizer.evaluation.ceilings import coarse_ab, real
from colorizer.evaluation.estimates import Yardstick
from colorizer.evaluation.evaluated import EXTREMES, diversity, summarised
from colorizer.evaluation.images import ImageScores, batches, device_of, score_images
from colorizer.evaluation.readings import READINGS, is_chromatic
from colorizer.files import atomic_write
from colorizer.judge import Judge
from colorizer.metrics import PROTOCOL
from colorizer.pictures import Examples, choose, colorize_examples, to_bytes
from colorizer.runs import REAL, Evaluated, Pictures

# The row before the real images'.
CEILING = "true ab at half size"

# Images of examples.png, and how often each is drawn for samples.png.
EXAMPLES, DRAWN = 10, 4

Predict = Callable[[Batch], Tensor]


@dataclass
class References:
    """All that colorizers are compared with on a split, and what looks at them.

    Args:
        data: whose images.
        split: `val` or `test`.
        judges: those who know the data's classes; none for other data.
        yardstick: what colours are measured by.
        rows: the baselines, a ceiling and, last, the real images.
    """

    data: ColorizationData
    split: SplitName
    judges: Sequence[Judge]
    yardstick: Yardstick
    rows: dict[str, Evaluated]

    def evaluate(self, colorizer: nn.Module, title: str) -> tuple[Evaluated, Pictures]:
        """Score a colorizer that is in evaluation mode."""
        device = device_of(self.judges)
        scores = score_images(_predict(colorizer), self.data, self.split, self.judges, title)
        evaluated = summarised(scores, self.yardstick, self.data)
        if isinstance(colorizer, Sampling):
            evaluated.extras = diversity(colorizer, self.data, self.split, device)
        return evaluated, self._pictures(colorizer, scores["raw"], device)

    def summarised(
        self, predict: Predict, title: str, readings: Sequence[str] = tuple(READINGS)
    ) -> Evaluated:
        """Score anything that makes images of a batch."""
        scores = score_images(predict, self.data, self.split, self.judges, title, readings)
        return summarised(scores, self.yardstick, self.data)

    @torch.inference_mode()
    def outputs(self, colorizer: nn.Module, title: str) -> Tensor:
        """Every image of the split as a colorizer colours it: uint8 (N, 3, H, W)."""
        found = batches(self.data, self.split, self.judges, title)
        return torch.cat([to_bytes(colorizer(batch.gray)).cpu() for batch in found])

    def examples(self, colorizer: Callable[[Tensor], Tensor]) -> Examples:
        """Random images, the same for each colorizer."""
        indices = choose(self.data, self.split, EXAMPLES, seed=0)
        return colorize_examples(colorizer, self.data, self.split, indices, device_of(self.judges))

    def samples(self, colorizer: Sampling) -> list[Tensor]:
        """These images as they were coloured when drawn again and again."""
        generator = torch.Generator(device_of(self.judges)).manual_seed(0)

        def draw(gray: Tensor) -> Tensor:
            return colorizer.sample(gray, 1, generator)[0]

        return [self.examples(draw).predicted for _ in range(DRAWN)]

    @torch.inference_mode()
    def _pictures(self, colorizer: nn.Module, raw: ImageScores, device: torch.device) -> Pictures:
        # Of the chromatic ones: the best of all are gray.
        (chromatic,) = np.nonzero(self.yardstick.chromatic)
        order = chromatic[np.argsort(raw.values["delta_e"][chromatic], kind="stable")]
        middle = (len(order) - EXTREMES) // 2
        indices = np.concatenate(
            [order[:EXTREMES], order[middle : middle + EXTREMES], order[::-1][:EXTREMES]]
        )
        batch = self.data.prepare(self.data.split(self.split).__getitems__(indices.tolist()))
        predicted = to_bytes(colorizer(batch.gray.to(device)).cpu())
        return Pictures(
            indices,
            predicted.numpy(),
            to_bytes(batch.rgb).numpy(),
            raw.histograms.sum(0, dtype=np.int64),
            self.yardstick.real.histograms.sum(0, dtype=np.int64),
        )


def references(
    data: ColorizationData,
    split: SplitName,
    judges: Sequence[Judge],
    baselines: Mapping[str, Callable[[], nn.Module]],
) -> References:
    """What colorizers are compared with; computed once, and kept in the user's cache folder.

    Args:
        data: whose images.
        split: `val` or `test`.
        judges: who look at them; those of other data are left out.
        baselines: name to something that makes one, fitted and in evaluation mode.
    """
    judges = [judge for judge in judges if judge.data == data.name]
    kept = _Kept(data, split, judges)
    yardstick = kept.read_yardstick(judges)
    if yardstick is None:
        say("looking at the real images and the baselines, once for this data")
        yardstick = _measure(data, split, judges)
        kept.write_yardstick(yardstick)
    around = References(data, split, judges, yardstick, {})
    rows: dict[str, Predict] = {
        CEILING: lambda batch: coarse_ab(batch.gray.shape[-1] // 2)(batch.rgb)
    }
    rows[REAL] = lambda batch: real(batch.rgb)
    for name, make in baselines.items():
        around.rows[name] = kept.row(name, lambda make=make: _predict(make()), around)  # type: ignore[misc]
    for name, function in rows.items():
        around.rows[name] = kept.row(name, lambda function=function: function, around)  # type: ignore[misc]
    return around


def _predict(colorizer: nn.Module) -> Predict:
    return lambda batch: colorizer.to(batch.gray.device)(batch.gray)


def _measure(data: ColorizationData, split: SplitName, judges: Sequence[Judge]) -> Yardstick:
    """Look at the real images, and at the gray ones."""
    chromatic = _chromatic(data.split(split).images)
    for judge in judges:
        needed, there = judge.dimensions + 1, int(chromatic.sum())
        if there < needed:
            raise UserError(
                f"FD-cifar needs at least {needed} chromatic images, one more than the judge has "
                f"features; of the {len(chromatic)} {split} images {there} are chromatic"
            )
    of_real = score_images(lambda batch: batch.rgb, data, split, judges, REAL, ["raw"])["raw"]
    gray: list[Tensor] = []
    if judges:
        for batch in batches(data, split, judges, "gray images"):
            rounded = round_to_8_bits(batch.gray).expand(-1, 3, -1, -1)
            seen = [judge.look(rounded)[1] for judge in judges]
            gray.append(torch.stack([(s.argmax(1) == batch.label).cpu() for s in seen]))
    return Yardstick(
        judges=judges,
        real=of_real,
        gray=torch.cat(gray, dim=1).numpy() if gray else of_real.correct,
        chromatic=chromatic,
        labels=data.split(split).labels.numpy(),
    )


def _chromatic(images: Tensor) -> npt.NDArray[np.bool_]:
    parts = [is_chromatic(part.float() / 255) for part in images.split(1000)]
    return torch.cat(parts).numpy()


class _Kept:
    """Files in the user's cache folder, by all that their content depends on."""

    def __init__(self, data: ColorizationData, split: SplitName, judges: Sequence[Judge]) -> None:
        parts = [data.split("train").fingerprint, data.split(split).fingerprint, _code()]
        parts += [judge.fingerprint for judge in judges]
        key = hashlib.sha256("-".join(parts).encode()).hexdigest()[:16]
        self.folder = cache_folder() / "protocol" / key

    def row(self, name: str, make: Callable[[], Predict], around: References) -> Evaluated:
        """One of the rows to compare with, computed where it is not there."""
        path = self.folder / f"{name.replace(' ', '-')}.json"
        try:
            return Evaluated.from_json(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError):
            evaluated = around.summarised(make(), name)
            self._write(path, lambda part: part.write_text(json.dumps(evaluated.to_json())))
            return evaluated

    @cached_property
    def _yardstick(self) -> Path:
        return self.folder / "yardstick.npz"

    def read_yardstick(self, judges: Sequence[Judge]) -> Yardstick | None:
        """None where it was not kept, or cannot be read."""
        try:
            with np.load(self._yardstick, allow_pickle=False) as file:
                arrays = dict(file)
        except Exception:
            return None
        values = {k.partition("/")[2]: v for k, v in arrays.items() if k.startswith("values/")}
        scores = ImageScores(
            values,
            arrays["histograms"],
            arrays["correct"],
            np.zeros((0, 0, 0), np.float32),
            arrays["by_chroma"],
        )
        return Yardstick(judges, scores, arrays["gray"], arrays["chromatic"], arrays["labels"])

    def write_yardstick(self, yardstick: Yardstick) -> None:
        """All but the real images' features."""
        arrays: dict[str, npt.NDArray[Any]] = {
            f"values/{name}": values for name, values in yardstick.real.values.items()
        }
        arrays |= {
            "histograms": yardstick.real.histograms,
            "correct": yardstick.real.correct,
            "by_chroma": yardstick.real.by_chroma,
            "gray": yardstick.gray,
            "chromatic": yardstick.chromatic,
            "labels": yardstick.labels,
        }

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

        self._write(self._yardstick, write)

    def _write(self, path: Path, write: Callable[[Path], Any]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as part:
                write(part)
        except OSError as error:
            complain(f"{path.name} could not be kept in {self.folder}: {error.strerror}")


def _code() -> str:
    """Fingerprint of the code that the numbers depend on."""
    return code_of(__name__, "colorizer.evaluation.fidelity", start=PROTOCOL)


def check_judges(judges: Sequence[Judge], data: ColorizationData) -> None:
    """Whether judges that were asked for know the data's classes.

    Raises:
        UserError: one does not.
    """
    for judge in judges:
        if judge.data != data.name:
            raise UserError(f"{judge.path} judges {judge.data}, not {data.name}")
