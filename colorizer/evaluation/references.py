"""The rows that every table starts and ends with: baselines, a ceiling, the real images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from hydra.utils import get_class
from omegaconf import OmegaConf
from torch import Tensor, nn

from colorizer.color import round_to_8_bits
from colorizer.colorizer import Colorizer
from colorizer.data import Batch, ColorizationData, SplitName
from colorizer.errors import UserError
from colorizer.evaluation.cache import ReferenceCache
from colorizer.evaluation.ceilings import coarse_ab
from colorizer.evaluation.draws import score_draws
from colorizer.evaluation.images import (
    ImageScores,
    Panel,
    Predict,
    batches,
    device_of,
    look,
    score_images,
)
from colorizer.evaluation.readings import READINGS, is_chromatic
from colorizer.evaluation.summary import Yardstick, summarise
from colorizer.judge import Judge
from colorizer.metrics import PROTOCOL
from colorizer.models import Baseline
from colorizer.paths import config_folder
from colorizer.pictures import to_bytes
from colorizer.representations import RGB
from colorizer.runs.scores import REAL, Pictures, ScoreRecord, Scores

# The rows that every table starts with, from conf/model/.
BASELINES = ("gray_copy", "mean_chroma", "gray_lookup")

# The row before the real images'.
CEILING = "true ab at half size"

# Images with the lowest, a middling and the highest ΔE00 that are shown of each colorizer.
EXTREMES = 5


@dataclass
class References:
    """The rows that colorizers are compared with on a split, and how they are scored.

    Args:
        data: whose images.
        split: `val` or `test`.
        yardstick: what scores are summarised by.
        rows: the baselines, a ceiling and, last, the real images.
    """

    data: ColorizationData
    split: SplitName
    yardstick: Yardstick
    rows: dict[str, Scores] = field(default_factory=dict)

    @property
    def judges(self) -> Sequence[Judge]:
        """The judges who look at the outputs."""
        return self.yardstick.panel.judges

    @property
    def device(self) -> torch.device:
        """The device on which outputs are computed and scored."""
        return device_of(self.judges)

    @property
    def about(self) -> dict[str, Any]:
        """The origin of the numbers, for the record: data, split, protocol and judges."""
        images = self.data.split(self.split)
        return {
            "protocol": PROTOCOL,
            "data": self.data.name,
            "split": self.split,
            "fingerprint": images.fingerprint,
            "images": len(images),
            "chromatic_images": int(self.yardstick.chromatic.sum()),
            "judges": [judge.fingerprint for judge in self.judges],
        }

    def score(
        self, colorizer: nn.Module, title: str, readings: Sequence[str] = tuple(READINGS)
    ) -> tuple[Scores, Pictures]:
        """Score a colorizer that is in evaluation mode, and its draws where it can draw."""
        colorizer = colorizer.to(self.device)
        panel = self.yardstick.panel
        images = score_images(
            lambda batch: colorizer(batch.gray), self.data, self.split, panel, title, readings
        )
        scores = summarise(images, self.yardstick, self.data)
        scores.extras = score_draws(colorizer, self.data, self.split, self.device)
        return scores, self._pictures(colorizer, images["raw"])

    def score_function(
        self, predict: Predict, title: str, readings: Sequence[str] = tuple(READINGS)
    ) -> Scores:
        """Score anything that makes images of a batch."""
        panel = self.yardstick.panel
        images = score_images(predict, self.data, self.split, panel, title, readings)
        return summarise(images, self.yardstick, self.data)

    def record(self, scores: Scores, weights: str = "best") -> ScoreRecord:
        """Put a run's scores beside these rows, for its directory."""
        return ScoreRecord(scores, self.rows, {**self.about, "weights": weights})

    @torch.inference_mode()
    def outputs(self, colorizer: nn.Module, title: str) -> Tensor:
        """Colour every image of the split: uint8 (N, 3, H, W)."""
        found = batches(self.data, self.split, self.device, title)
        return torch.cat([to_bytes(colorizer(batch.gray)).cpu() for batch in found])

    @torch.inference_mode()
    def _pictures(self, colorizer: nn.Module, raw: ImageScores) -> Pictures:
        # Of the chromatic ones, where there are any: the best of all are gray.
        chromatic = self.yardstick.chromatic
        (chosen,) = np.nonzero(chromatic if chromatic.any() else ~chromatic)
        order = chosen[np.argsort(raw.values["delta_e"][chosen], kind="stable")]
        middle = max(0, len(order) - EXTREMES) // 2
        indices = np.concatenate(
            [order[:EXTREMES], order[middle : middle + EXTREMES], order[::-1][:EXTREMES]]
        )
        batch = self.data.prepare(self.data.split(self.split).__getitems__(indices.tolist()))
        predicted = to_bytes(colorizer(batch.gray.to(self.device)).cpu())
        histograms = raw.values["ab_divergence"].sum(0, dtype=np.float64).astype(np.int64)
        return Pictures(
            indices, predicted.numpy(), to_bytes(batch.rgb).numpy(), *np.split(histograms, 2)
        )


def reference_rows(
    data: ColorizationData,
    split: SplitName,
    judges: Sequence[Judge] = (),
    baselines: Sequence[str] = BASELINES,
) -> References:
    """Make what colorizers are compared with; cached in memory and in the user's cache folder.

    Args:
        data: whose images.
        split: `val` or `test`.
        judges: who look at them; those of other data are left out.
        baselines: models of conf/model/ that need no training by gradient.

    Raises:
        UserError: too few images for the judges' features.
    """
    judges = [judge for judge in judges if judge.data == data.name]
    cache = ReferenceCache(data, split, judges)
    yardstick = cache.yardstick(judges, lambda: _measure(data, split, judges))
    found = References(data, split, yardstick)
    size = data.image_size
    functions: dict[str, Callable[[], Predict]] = {
        name: lambda name=name: _predict(baseline(name, data))  # type: ignore[misc]
        for name in baselines
    }
    functions[CEILING] = lambda: lambda batch: coarse_ab(size // 2)(batch.rgb)
    functions[REAL] = lambda: lambda batch: batch.rgb
    for name, make in functions.items():
        found.rows[name] = cache.row(
            name,
            lambda make=make, name=name: found.score_function(make(), name),  # type: ignore[misc]
        )
    return found


def evaluate(
    colorizer: nn.Module,
    data: ColorizationData,
    split: SplitName = "test",
    judges: Sequence[Judge] = (),
    name: str = "",
) -> tuple[ScoreRecord, Pictures]:
    """Score a colorizer beside the baselines, as `colorizer evaluate` and every training do.

    Args:
        colorizer: gray (B, 1, H, W) -> RGB (B, 3, H, W), both in [0, 1], in evaluation mode.
        data: whose images.
        split: `val` or `test`.
        judges: who look at the outputs; none after a training.
        name: of the progress bar.

    Raises:
        UserError: see `reference_rows`.
    """
    rows = reference_rows(data, split, judges)
    scores, pictures = rows.score(colorizer, name)
    return rows.record(scores), pictures


def baseline(name: str, data: ColorizationData) -> Colorizer:
    """Make a baseline of conf/model/, fitted on the training split."""
    config = OmegaConf.load(config_folder() / "model" / f"{name}.yaml")
    network = get_class(config._target_)(out_channels=RGB.channels)
    assert isinstance(network, Baseline)
    network.fit(batches(data, "train", torch.device("cpu"), f"fitting {name}"))
    return Colorizer(network, RGB()).eval()


def _predict(colorizer: nn.Module) -> Predict:
    def predict(batch: Batch) -> Tensor:
        output: Tensor = colorizer.to(batch.gray.device)(batch.gray)
        return output

    return predict


@torch.inference_mode()
def _measure(data: ColorizationData, split: SplitName, judges: Sequence[Judge]) -> Yardstick:
    """Find the chromatic images, and what judges see in the real and in the gray ones."""
    images = data.split(split)
    parts = [is_chromatic(part.float() / 255) for part in images.images.split(1000)]
    chromatic = torch.cat(parts).numpy()
    for judge in judges:
        needed, there = judge.dimensions + 1, int(chromatic.sum())
        if there < needed:
            raise UserError(
                f"FD-cifar needs at least {needed} chromatic images, one more than the judge has "
                f"features; of the {len(images)} {split} images {there} are chromatic"
            )
    real, gray = ([torch.zeros(0, len(judges), dtype=torch.bool)] for _ in range(2))
    for batch in batches(data, split, device_of(judges), "judging real images") if judges else ():
        rounded = round_to_8_bits(batch.gray).expand(-1, 3, -1, -1)
        for seen, rgb in ((real, batch.rgb), (gray, rounded)):
            seen.append(look(judges, rgb, batch.label)[1].cpu())
    panel = Panel(judges, torch.cat(real).numpy(), torch.cat(gray).numpy())
    twins = np.zeros_like(chromatic)
    twins[list(data.near_duplicates(split))] = True
    return Yardstick(panel, chromatic, images.labels.numpy(), twins)
