"""A colorizer under the whole protocol: its numbers, and what of them is drawn."""

from collections.abc import Mapping

import torch
from torch import Tensor
from tqdm import tqdm

from colorizer.color import rgb_to_lab, round_to_8_bits
from colorizer.colorizer import Sampling
from colorizer.data import ColorizationData, SplitName
from colorizer.evaluation.estimates import Yardstick, estimate
from colorizer.evaluation.images import ImageScores
from colorizer.judge.judges import SUBSETS
from colorizer.runs.scores import Evaluated, Readings

# Images with the lowest, a middling and the highest ΔE00 that are shown of each colorizer.
EXTREMES = 5

# Samples of each image, and images, that diversity is measured on.
SAMPLES, DIVERSITY_IMAGES = 4, 1000


def summarised(
    scores: Mapping[str, ImageScores], yardstick: Yardstick, data: ColorizationData
) -> Evaluated:
    """The numbers of an output that was scored image by image."""
    readings: Readings = {reading: {} for reading in scores}
    parts = [(reading, subset) for reading in scores for subset in SUBSETS]
    for reading, subset in tqdm(parts, "confidence intervals", leave=False):
        readings[reading][subset] = estimate(scores[reading], yardstick, subset)
    raw = scores["raw"]
    classes = {}
    for label, name in enumerate(data.classes):
        chosen = yardstick.labels == label
        differences = raw.values["colorfulness"] - yardstick.real.values["colorfulness"]
        classes[name] = {
            "delta_e": float(raw.values["delta_e"][chosen].mean()),
            "delta_cf": float(differences[chosen].mean()),
        }
        for key, correct in (
            ("semantic_accuracy", raw.correct),
            ("real", yardstick.real.correct),
            ("gray", yardstick.gray),
        ):
            if len(correct):
                classes[name][key] = float(correct[:, chosen].mean() * 100)
    pixels, *sums = raw.by_chroma
    there = pixels > 0
    names = ("chroma", "delta_e", "predicted")
    by_chroma = {
        name: (of_bins[there] / pixels[there]).tolist()
        for name, of_bins in zip(names, sums, strict=True)
    }
    return Evaluated(readings, classes, by_chroma, {})


@torch.inference_mode()
def diversity(
    colorizer: Sampling, data: ColorizationData, split: SplitName, device: torch.device
) -> dict[str, float]:
    """How much samples of the same image differ, and how good the best of them is.

    `diversity` is the mean ab distance between two samples, pixel by pixel; `best_of_k` the mean
    ab distance of the sample nearest to the true image. Of the first images of the split.
    """
    generator = torch.Generator(device).manual_seed(0)
    count = min(DIVERSITY_IMAGES, len(data.split(split)))
    apart, nearest = [], []
    for start in range(0, count, data.eval_batch_size):
        indices = list(range(start, min(count, start + data.eval_batch_size)))
        batch = data.prepare(data.split(split).__getitems__(indices))
        samples = colorizer.sample(batch.gray.to(device), SAMPLES, generator).cpu()
        ab = torch.stack([rgb_to_lab(round_to_8_bits(sample))[:, 1:] for sample in samples])
        true = rgb_to_lab(batch.rgb)[:, 1:]
        pairs = [(i, j) for i in range(SAMPLES) for j in range(i)]
        apart.append(torch.stack([_distance(ab[i], ab[j]) for i, j in pairs]).mean(0))
        nearest.append(torch.stack([_distance(one, true) for one in ab]).min(0).values)
    return {
        "diversity": float(torch.cat(apart).mean()),
        "best_of_k": float(torch.cat(nearest).mean()),
    }


def _distance(ab: Tensor, other: Tensor) -> Tensor:
    """Mean distance over pixels, of each image."""
    return (ab - other).square().sum(1).sqrt().flatten(1).mean(1)
