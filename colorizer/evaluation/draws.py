"""Scores the draws of a stochastic colorizer: as predictions of a distribution, and as images."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from colorizer.color import rgb_to_lab, round_to_8_bits
from colorizer.colorizer import Sampling
from colorizer.data import Batch, ColorizationData, SplitName
from colorizer.evaluation.images import Predict, batches
from colorizer.pictures import to_bytes

# Draws of each image, of which `diversity` and `best_of_k` see the first few; and images.
DRAWS, FEW, IMAGES = 8, 4, 1000


@torch.inference_mode()
def score_draws(
    colorizer: nn.Module, data: ColorizationData, split: SplitName, device: torch.device
) -> dict[str, float]:
    """Score what a colorizer says of the first images of a split, by several draws of each.

    Returns:
        `energy_score` (Gneiting and Raftery 2007) of the image's mean ab: the distance of a draw to
        the truth, less half the distance of two draws; a proper score, of a colorizer that cannot
        draw its distance to the truth. Of one that can draw also `coverage`, the percent of images
        whose true mean a and b lie between the least and the greatest drawn, of 77.8 if they were
        drawn as the draws are; `diversity`, the mean ab distance between two draws, pixel by pixel;
        `best_of_k`, the mean ab distance of the draw that is nearest to the truth.
    """
    scores, covered = [], []
    apart, nearest = [], []
    generators = [torch.Generator(device).manual_seed(seed) for seed in (0, 1)]
    count = min(IMAGES, len(data.split(split)))
    for start in range(0, count, data.eval_batch_size):
        indices = list(range(start, min(count, start + data.eval_batch_size)))
        batch = data.prepare(data.split(split).__getitems__(indices))
        gray, true = batch.gray.to(device), rgb_to_lab(batch.rgb)[:, 1:]
        if not isinstance(colorizer, Sampling):
            scores.append(energy_score(_ab(colorizer(gray))[None].mean((3, 4)), true.mean((2, 3))))
            continue
        # The first few are the same, however many there are in all.
        parts = zip((FEW, DRAWS - FEW), generators, strict=True)
        ab = torch.cat([_ab(colorizer.sample(gray, k, random)) for k, random in parts])
        means = ab.mean((3, 4))
        scores.append(energy_score(means, true.mean((2, 3))))
        covered.append(is_covered(means, true.mean((2, 3))))
        pairs = [(i, j) for i in range(FEW) for j in range(i)]
        apart.append(torch.stack([_distance(ab[i], ab[j]) for i, j in pairs]).mean(0))
        nearest.append(torch.stack([_distance(one, true) for one in ab[:FEW]]).min(0).values)
    found = {"energy_score": float(torch.cat(scores).mean())}
    if covered:
        found["coverage"] = 100 * float(torch.cat(covered).float().mean())
        found["diversity"] = float(torch.cat(apart).mean())
        found["best_of_k"] = float(torch.cat(nearest).mean())
    return found


def energy_score(draws: Tensor, true: Tensor) -> Tensor:
    """E|X - y| - E|X - X'| / 2, without bias; smaller is better.

    Shapes: draws (k, B, D) and the truth (B, D) -> (B,).
    """
    near = torch.linalg.vector_norm(draws - true, dim=2).mean(0)
    k = len(draws)
    if k == 1:
        return near
    pairs = torch.cdist(draws.transpose(0, 1), draws.transpose(0, 1))
    return near - pairs.sum((1, 2)) / (k * (k - 1)) / 2


def is_covered(draws: Tensor, true: Tensor) -> Tensor:
    """Find the values that lie between the least and the greatest draw.

    Shapes: draws (k, B, D) and the truth (B, D) -> bool (B, D).
    """
    return (draws.amin(0) <= true) & (true <= draws.amax(0))


@torch.inference_mode()
def draw_rows(
    colorizer: Sampling, data: ColorizationData, split: SplitName, device: torch.device, title: str
) -> Iterator[tuple[str, Tensor]]:
    """Yield what is scored of a colorizer's draws of a split, with titles: uint8 (N, 3, H, W).

    One draw of each image; the mean of 8, as a best guess; and the best of 8 by ab distance, which
    only who knows the truth can choose.
    """
    random = torch.Generator(device).manual_seed(0)
    one, mean, best = [], [], []
    for batch in batches(data, split, device, f"{title}: {DRAWS} draws"):
        draws = colorizer.sample(batch.gray, DRAWS, random)
        true = rgb_to_lab(batch.rgb)[:, 1:]
        nearest = torch.stack([_distance(_ab(draw), true) for draw in draws]).argmin(0)
        one.append(to_bytes(draws[0]).cpu())
        mean.append(to_bytes(draws.mean(0)).cpu())
        best.append(to_bytes(draws[nearest, torch.arange(len(true))]).cpu())
    yield f"{title}: one draw", torch.cat(one)
    yield f"{title}: mean of {DRAWS} draws", torch.cat(mean)
    yield f"{title}: best of {DRAWS} draws, by the truth", torch.cat(best)


def stored(images: Tensor) -> Predict:
    """Give images, uint8 (N, 3, H, W), in the order of the split, once."""
    place = 0

    def predict(batch: Batch) -> Tensor:
        nonlocal place
        part = images[place : place + len(batch.gray)]
        place += len(batch.gray)
        return part.to(batch.gray.device).float() / 255

    return predict


def _ab(rgb: Tensor) -> Tensor:
    """(..., 3, H, W) in [0, 1] -> ab of what is left in 8 bits, on the CPU: (..., 2, H, W)."""
    lab = rgb_to_lab(round_to_8_bits(rgb).flatten(0, -4).cpu())
    return lab[:, 1:].unflatten(0, rgb.shape[:-3])


def _distance(ab: Tensor, other: Tensor) -> Tensor:
    """Mean distance over pixels, of each image."""
    return (ab - other.cpu()).square().sum(1).sqrt().flatten(1).mean(1)
