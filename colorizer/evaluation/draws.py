"""Scores the draws of a stochastic colorizer."""

import torch
from torch import Tensor

from colorizer.color import rgb_to_lab, round_to_8_bits
from colorizer.colorizer import Sampling
from colorizer.data import ColorizationData, SplitName

# Draws of each image, and images, that are scored.
DRAWS, IMAGES = 4, 1000


@torch.inference_mode()
def score_draws(
    colorizer: Sampling, data: ColorizationData, split: SplitName, device: torch.device
) -> dict[str, float]:
    """Score several draws of the first images of a split.

    Returns:
        `diversity`, the mean ab distance between two draws, pixel by pixel; `best_of_k`, the mean
        ab distance of the draw that is nearest to the true image.
    """
    generator = torch.Generator(device).manual_seed(0)
    count = min(IMAGES, len(data.split(split)))
    apart, nearest = [], []
    for start in range(0, count, data.eval_batch_size):
        indices = list(range(start, min(count, start + data.eval_batch_size)))
        batch = data.prepare(data.split(split).__getitems__(indices))
        draws = colorizer.sample(batch.gray.to(device), DRAWS, generator).cpu()
        ab = torch.stack([rgb_to_lab(round_to_8_bits(draw))[:, 1:] for draw in draws])
        true = rgb_to_lab(batch.rgb)[:, 1:]
        pairs = [(i, j) for i in range(DRAWS) for j in range(i)]
        apart.append(torch.stack([_distance(ab[i], ab[j]) for i, j in pairs]).mean(0))
        nearest.append(torch.stack([_distance(one, true) for one in ab]).min(0).values)
    return {
        "diversity": float(torch.cat(apart).mean()),
        "best_of_k": float(torch.cat(nearest).mean()),
    }


def _distance(ab: Tensor, other: Tensor) -> Tensor:
    """Mean distance over pixels, of each image."""
    return (ab - other).square().sum(1).sqrt().flatten(1).mean(1)
