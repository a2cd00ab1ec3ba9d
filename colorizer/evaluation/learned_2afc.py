"""Learned two-alternative forced choice: can a network tell outputs from real images?"""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from colorizer.data.augment import shift_and_flip
from colorizer.errors import UserError
from colorizer.judge import JudgeNetwork

SEEDS = (0, 1, 2)

# Of both discriminators: 0.1 and 0.2 million parameters, which 5,000 pairs are enough for.
WIDTHS, CONVOLUTIONS = (32, 64, 128), 1
STEPS, PAIRS, LEARNING_RATE, WEIGHT_DECAY = 400, 64, 3e-3, 0.05

# With fewer images a discriminator tells nothing, and everything looks like 50.
FEWEST = 1000


class PatchDiscriminator(nn.Module):
    """Scores overlapping patches of 22 pixels (Isola et al. 2017, "Image-to-Image Translation").

    (B, 3, H, W) in [0, 1] -> (B, 1), the mean over the patches.
    """

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.layers = nn.Sequential(
            nn.Conv2d(3, fine, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(fine, middle, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(middle),
            nn.LeakyReLU(0.2),
            nn.Conv2d(middle, coarse, 4, padding=1, bias=False),
            nn.BatchNorm2d(coarse),
            nn.LeakyReLU(0.2),
            nn.Conv2d(coarse, 1, 1),
        )

    def forward(self, rgb: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 1)."""
        scores: Tensor = self.layers(2 * rgb - 1)
        return scores.mean((2, 3))


def _judge_like(images: Tensor) -> nn.Module:
    network = JudgeNetwork(1, WIDTHS, CONVOLUTIONS)
    network.whiten(images)
    return network


# By the name of its metric, how an untrained discriminator is made of real images, float (N, 3, H,
# W) in [0, 1]. Neither does a model on record train against.
DISCRIMINATORS: Mapping[str, Callable[[Tensor], nn.Module]] = {
    "afc": _judge_like,
    "afc_patch": lambda images: PatchDiscriminator(),
}


def learned_2afc(
    predicted: Tensor,
    true: Tensor,
    discriminator: str = "afc",
    seeds: Sequence[int] = SEEDS,
    steps: int = STEPS,
) -> list[float]:
    """Percent of pairs in which a fresh discriminator picks the real image, for each seed.

    It is trained on one half of the images, their outputs against the images themselves, and
    chooses between the two on the other half: 50 where it cannot tell, 100 where it always can.
    After the two-alternative forced choice that Zhang et al. 2016 showed to people.

    Args:
        predicted: uint8 (N, 3, H, W).
        true: the real images, in the same order.
        discriminator: of `DISCRIMINATORS`.
        seeds: of the halves and of the discriminator.
        steps: of the optimizer, for each discriminator.

    Raises:
        UserError: too few images to train on.
    """
    check_enough(len(true))
    make = DISCRIMINATORS[discriminator]
    return [_one(predicted, true, make, seed, steps) for seed in tqdm(seeds, "2AFC", leave=False)]


def check_enough(images: int) -> None:
    """Check that there are enough images.

    Raises:
        UserError: there are not.
    """
    if images < FEWEST:
        raise UserError(
            f"the learned 2AFC needs at least {FEWEST} images, half to train on; there are {images}"
        )


def _one(
    predicted: Tensor, true: Tensor, make: Callable[[Tensor], nn.Module], seed: int, steps: int
) -> float:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        order = torch.randperm(len(true))
        half = len(true) // 2
        network = make(true[order[:half]].float() / 255)
        _train(network, predicted[order[:half]], true[order[:half]], steps)
        real, output = (
            torch.cat([_scores(network, part) for part in images[order[half:]].split(500)])
            for images in (true, predicted)
        )
        # Equal scores, as of an exact copy, are a coin's toss.
        chosen = (real > output).float() + 0.5 * (real == output).float()
        return float(chosen.mean() * 100)


def _train(network: nn.Module, predicted: Tensor, true: Tensor, steps: int) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).train()
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    labels = torch.cat([torch.ones(PAIRS), torch.zeros(PAIRS)]).to(device)
    epochs = math.ceil(steps / (len(true) // PAIRS))
    whole = len(true) // PAIRS * PAIRS
    order = torch.cat([torch.randperm(len(true))[:whole] for _ in range(epochs)])
    for chosen in order.split(PAIRS)[:steps]:
        # Both of a pair in one batch, moved alike, so that only colour tells them apart.
        pair = torch.cat([true[chosen], predicted[chosen]], dim=1)
        real, output = shift_and_flip(pair, 2, flip=True).split(3, dim=1)
        images = torch.cat([real, output]).to(device).float() / 255
        loss = F.binary_cross_entropy_with_logits(network(images).squeeze(1), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()


@torch.inference_mode()
def _scores(network: nn.Module, images: Tensor) -> Tensor:
    device = next(network.parameters()).device
    scores: Tensor = network(images.to(device).float() / 255)
    return scores.squeeze(1).cpu()
