"""Every image scored by itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure
from tqdm import tqdm

from colorizer.color import rgb_to_lab, round_to_8_bits
from colorizer.data import Batch, ColorizationData, SplitName
from colorizer.evaluation.histogram import ab_histograms
from colorizer.evaluation.readings import READINGS, chroma
from colorizer.judge import Judge
from colorizer.metrics import AuC, ColorAccuracy, Colorfulness, DeltaE2000, LumaError

# Pixels are taken together by their true chroma: 0 to 5, 5 to 10, ..., and 75 and more.
CHROMA_STEP, CHROMA_BINS = 5, 16

Floats = npt.NDArray[np.float32]

ON_LAB = {"delta_e": DeltaE2000(), "acc2": ColorAccuracy(2), "acc5": ColorAccuracy(5), "auc": AuC()}


@dataclass
class ImageScores:
    """A reading of an output, image by image.

    Args:
        values: metric name to float32 (N,).
        histograms: pixels in each ab bin, (N, BINS * BINS).
        correct: whether each judge sees the right class, bool (judges, N).
        features: each judge's, float32 (judges, N, D).
        by_chroma: sums over the pixels of each bin of true chroma: pixels, true chroma, ΔE00,
            predicted chroma; float64 (4, CHROMA_BINS).
    """

    values: dict[str, Floats]
    histograms: npt.NDArray[np.int32]
    correct: npt.NDArray[np.bool_]
    features: Floats
    by_chroma: npt.NDArray[np.float64]


@dataclass
class _Parts:
    values: dict[str, list[Tensor]] = field(default_factory=dict)
    histograms: list[Tensor] = field(default_factory=list)
    correct: list[Tensor] = field(default_factory=list)
    features: list[Tensor] = field(default_factory=list)
    by_chroma: Tensor | float = 0.0

    def whole(self) -> ImageScores:
        return ImageScores(
            {name: torch.cat(parts).numpy() for name, parts in self.values.items()},
            torch.cat(self.histograms).numpy().astype(np.int32),
            torch.cat(self.correct, dim=1).numpy(),
            torch.cat(self.features, dim=1).numpy(),
            np.asarray(self.by_chroma, dtype=np.float64),
        )


@torch.inference_mode()
def score_images(
    predict: Callable[[Batch], Tensor],
    data: ColorizationData,
    split: SplitName,
    judges: Sequence[Judge],
    title: str,
    readings: Sequence[str] = tuple(READINGS),
) -> dict[str, ImageScores]:
    """Score an output on every image of a split, in several readings.

    Args:
        predict: batch -> RGB (B, 3, H, W) in [0, 1].
        data: whose images.
        split: `val` or `test`.
        judges: who look at the outputs.
        title: of the progress bar.
        readings: of `READINGS`.
    """
    found = {reading: _Parts() for reading in readings}
    for batch in batches(data, split, judges, title):
        target = rgb_to_lab(batch.rgb)
        # Rounded before anything else is done with it, as in `Fidelity`.
        prediction = round_to_8_bits(predict(batch).float()).contiguous()
        for reading, parts in found.items():
            _take_in(parts, READINGS[reading](prediction, batch.gray), batch, target, judges)
    return {reading: parts.whole() for reading, parts in found.items()}


def batches(
    data: ColorizationData, split: SplitName, judges: Sequence[Judge], title: str
) -> Iterator[Batch]:
    """The batches of a split, where the judges are, with a progress bar."""
    loaders = {
        "train": data.predict_dataloader,
        "val": data.val_dataloader,
        "test": data.test_dataloader,
    }
    device = device_of(judges)
    with tqdm(total=len(data.split(split)), desc=title, unit=" images", leave=False) as bar:
        for raw in loaders[split]():
            batch = data.prepare(raw)
            yield Batch(*(tensor.to(device) for tensor in batch))
            bar.update(len(batch.label))


def device_of(judges: Sequence[Judge]) -> torch.device:
    """Where judges look, and what they look at is made."""
    return judges[0].device if judges else torch.device("cpu")


def _take_in(
    parts: _Parts, prediction: Tensor, batch: Batch, target: Tensor, judges: Sequence[Judge]
) -> None:
    lab = rgb_to_lab(prediction)
    # As in `Fidelity`: on a GPU, float32 convolutions may be rounded to TF32.
    exact = torch.float64 if prediction.is_cuda else torch.float32
    difference = prediction - batch.rgb
    errors = {name: metric.values(lab, target) for name, metric in ON_LAB.items()}
    values = {
        "mse": difference.square(),
        "mae": difference.abs(),
        "ssim": structural_similarity_index_measure(
            prediction.to(exact), batch.rgb.to(exact), data_range=1.0, reduction="none"
        ),
        **errors,
        "colorfulness": Colorfulness().values(prediction),
        "luma_error": LumaError().values(prediction, batch.gray),
    }
    for name, value in values.items():
        assert isinstance(value, Tensor)
        mean = value.reshape(len(value), -1).mean(1, dtype=torch.float64).float()
        parts.values.setdefault(name, []).append(mean.cpu())
    parts.histograms.append(ab_histograms(lab).cpu())
    seen = [judge.look(prediction) for judge in judges]
    if seen:
        parts.correct.append(
            torch.stack([(scores.argmax(1) == batch.label).cpu() for _, scores in seen])
        )
        parts.features.append(torch.stack([features.cpu() for features, _ in seen]))
    else:
        parts.correct.append(torch.zeros(0, len(lab), dtype=torch.bool))
        parts.features.append(torch.zeros(0, len(lab), 0))
    true = chroma(target)
    bins = (true / CHROMA_STEP).long().clamp(max=CHROMA_BINS - 1).flatten()
    of_pixels = torch.stack([torch.ones_like(true), true, errors["delta_e"], chroma(lab)])
    sums = torch.zeros(4, CHROMA_BINS, dtype=torch.float64, device=lab.device)
    sums.index_add_(1, bins, of_pixels.flatten(1).double())
    parts.by_chroma = parts.by_chroma + sums.cpu()
