"""Scores every image by itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from colorizer.color import rgb_to_lab, round_to_8_bits
from colorizer.data import Batch, ColorizationData, SplitName
from colorizer.data.base import RawBatch
from colorizer.evaluation.readings import READINGS, chroma
from colorizer.evaluation.scales import ScaleSums
from colorizer.judge import Family, Judge
from colorizer.metrics import Images, Views, image_metrics
from colorizer.runs.contents import ByScale

# Pixels are taken together by their true chroma: 0 to 5, 5 to 10, ..., and 75 and more.
CHROMA_STEP, CHROMA_BINS = 5, 16

Bools = npt.NDArray[np.bool_]

Predict = Callable[[Batch], Tensor]
"""Makes images of a batch: RGB (B, 3, H, W) in [0, 1]."""


@dataclass
class Panel:
    """Judges, and whether each sees the right class in a split's real and gray images.

    Shapes: `real` and `gray` bool (N, judges).
    """

    judges: Sequence[Judge]
    real: Bools
    gray: Bools

    @property
    def families(self) -> list[Family]:
        """Those of the judges, each once."""
        return list(dict.fromkeys(judge.family for judge in self.judges))

    def of_family(self, family: Family) -> npt.NDArray[np.intp]:
        """The numbers of a family's judges."""
        (found,) = np.nonzero([judge.family == family for judge in self.judges])
        return found

    def views(self, prediction: Tensor, label: Tensor, start: int) -> dict[Family, Views]:
        """Let the judges look at outputs, the first of which is of image `start` of the split."""
        part, found = slice(start, start + len(label)), {}
        for family in self.families:
            numbers = self.of_family(family)
            features, correct = look([self.judges[i] for i in numbers], prediction, label)
            real, gray = (
                torch.from_numpy(seen[part, numbers]).to(label.device)
                for seen in (self.real, self.gray)
            )
            found[family] = Views(features, correct, real, gray)
        return found


def look(judges: Sequence[Judge], rgb: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Let judges look at images.

    Shapes: (B, 3, H, W) and (B,) -> features (B, judges * D), and whether each judge sees the right
    class, bool (B, judges).
    """
    seen = [judge.look(rgb) for judge in judges]
    correct = [scores.argmax(1) == label for _, scores in seen]
    return torch.cat([features for features, _ in seen], dim=1), torch.stack(correct, dim=1)


@dataclass
class ImageScores:
    """A reading of an output, image by image.

    Args:
        values: metric name to float32 (N,) or (N, D), see `ImageMetric.values`.
        by_chroma: sums over the pixels of each bin of true chroma: pixels, true chroma, ΔE00,
            predicted chroma; float64 (4, CHROMA_BINS).
        by_scale: the error of the chroma, see `ScaleSums.summary`.
    """

    values: dict[str, npt.NDArray[np.float32]]
    by_chroma: npt.NDArray[np.float64]
    by_scale: ByScale


@dataclass
class _Parts:
    """The scores of the batches so far."""

    values: dict[str, list[Tensor]] = field(default_factory=dict)
    by_chroma: Tensor | float = 0.0
    scales: ScaleSums = field(default_factory=ScaleSums)

    def add(self, images: Images) -> None:
        for metric in image_metrics(images.views):
            self.values.setdefault(metric.name, []).append(metric.values(images).float().cpu())
        true = chroma(images.target_lab)
        bins = (true / CHROMA_STEP).long().clamp(max=CHROMA_BINS - 1).flatten()
        of_pixels = [torch.ones_like(true), true, images.delta_e, chroma(images.lab)]
        sums = torch.zeros(4, CHROMA_BINS, dtype=torch.float64, device=true.device)
        sums.index_add_(1, bins, torch.stack(of_pixels).flatten(1).double())
        self.by_chroma = self.by_chroma + sums.cpu()
        self.scales.add(images.prediction, images.target)

    def joined(self) -> ImageScores:
        values = {name: torch.cat(parts).numpy() for name, parts in self.values.items()}
        by_chroma = np.asarray(self.by_chroma, dtype=np.float64)
        return ImageScores(values, by_chroma, self.scales.summary())


@torch.inference_mode()
def score_images(
    predict: Predict,
    data: ColorizationData,
    split: SplitName,
    panel: Panel,
    title: str,
    readings: Sequence[str] = tuple(READINGS),
) -> dict[str, ImageScores]:
    """Score an output on every image of a split, in several readings.

    Args:
        predict: what is scored.
        data: whose images.
        split: `val` or `test`.
        panel: the judges who look at the outputs.
        title: of the progress bar.
        readings: of `READINGS`.
    """
    found = {reading: _Parts() for reading in readings}
    start = 0
    for batch in batches(data, split, device_of(panel.judges), title):
        target_lab = rgb_to_lab(batch.rgb)
        # Rounded before anything else is done with it.
        prediction = round_to_8_bits(predict(batch).float()).contiguous()
        for reading, parts in found.items():
            read = READINGS[reading](prediction, batch.gray)
            views = panel.views(read, batch.label, start)
            parts.add(Images(read, batch.rgb, batch.gray, target_lab, views))
        start += len(batch.label)
    return {reading: parts.joined() for reading, parts in found.items()}


def batches(
    data: ColorizationData, split: SplitName, device: torch.device, title: str
) -> Iterator[Batch]:
    """Yield the batches of a split in order, all in this process, with a progress bar."""
    images, size = data.split(split), data.eval_batch_size
    with tqdm(total=len(images), desc=title, unit=" images", leave=False) as bar:
        for start in range(0, len(images), size):
            part = slice(start, start + size)
            batch = data.prepare(RawBatch(images.images[part], images.labels[part]))
            yield Batch(*(tensor.to(device) for tensor in batch))
            bar.update(len(batch.label))


def device_of(judges: Sequence[Judge]) -> torch.device:
    """The device of the judges; without judges a GPU, if there is one."""
    if judges:
        return judges[0].device
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
