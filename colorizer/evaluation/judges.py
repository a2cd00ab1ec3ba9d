"""Judges as files: weights in half precision, and features of the real training images."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.data import ColorizationData, SplitName
from colorizer.errors import UserError, first_line
from colorizer.evaluation.images import batches
from colorizer.evaluation.readings import is_chromatic
from colorizer.fingerprint import files_fingerprint
from colorizer.judge import Gaussian, ImageNetNetwork, Judge, JudgeNetwork, save_judge
from colorizer.judge.judges import SUBSETS
from colorizer.runs import Run

CPU = torch.device("cpu")

# Images are enlarged from 32 to 128 pixels: of 64, 96 and 128 the size at which a probe saw most.
IMAGENET_SIZE = 128

# Dimensions of the fixed projection, as many as the features of our own judges.
IMAGENET_VIEW = 256

# Of the linear probe.
DECAYS = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2)


def write_judge(run: Run, data: ColorizationData, path: Path) -> None:
    """Write the judge of a finished run of experiment=judge."""
    node = {k: v for k, v in run.config.task.network.items() if k != "_target_"}
    arguments = {k: list(v) if k == "widths" else v for k, v in node.items()}
    network = run.loaded(lambda: JudgeNetwork(**arguments), "classifier")  # type: ignore[arg-type]
    git = run.environment["git"] or {}
    card = {
        "network": arguments,
        "data": run.results["data"],
        "train_fingerprint": run.results["train_fingerprint"],
        "seed": run.config.seed,
        "epochs": run.results["epochs"],
        "command": run.environment["command"],
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
        "val_accuracy": run.results.get("val/accuracy"),
        "test_accuracy": run.results.get("test/accuracy"),
    }
    # As it will be read: features of the rounded weights.
    network.half().float().eval()
    save_judge(network, gaussians(real_images(data, "train", network.features)), card, path)


def write_imagenet_judge(file: Path, data: ColorizationData, path: Path) -> None:
    """Write the judge that has its features from ImageNet, with a probe for the data's classes.

    The probe is fitted on real training images; validation images choose its weight decay.

    Args:
        file: weights of MobileNetV2, a dictionary that `torch.save` wrote.
        data: whose classes and images.
        path: the judge.

    Raises:
        UserError: the file cannot be read, or holds weights of another architecture.
    """
    arguments = {"classes": len(data.classes), "size": IMAGENET_SIZE, "dimensions": IMAGENET_VIEW}
    network = ImageNetNetwork(**arguments)
    network.load_trunk(_read_weights(file))
    network.project_at_random()
    network.half().float().eval().requires_grad_(False)
    # What is fused computes the same, twice as fast; the file holds what is not.
    fused = copy.deepcopy(network)
    fused.fuse()
    train, val = (real_images(data, split, fused.embed) for split in ("train", "val"))
    labels, val_labels = (data.split(split).labels for split in ("train", "val"))
    decay, found = fit_probe(train.features, labels, val.features, val_labels)
    network.probe.load_state_dict(found.state_dict())
    network.half().float()
    card = {
        "family": "imagenet",
        "network": arguments,
        "data": data.name,
        "train_fingerprint": data.split("train").fingerprint,
        "trunk": files_fingerprint([file]),
        "weight_decay": decay,
        "val_accuracy": correct(network.probe(val.features), val_labels),
    }
    seen = train._replace(features=network.projection(train.features))
    save_judge(network, gaussians(seen), card, path)


def _read_weights(file: Path) -> dict[str, Tensor]:
    try:
        weights = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UserError(f"{file} cannot be read as weights: {first_line(error)}") from error
    if not isinstance(weights, dict) or not all(isinstance(t, Tensor) for t in weights.values()):
        raise UserError(f"{file} holds no weights by name")
    return weights


class Seen(NamedTuple):
    """Features float32 (N, D) of a split's real images, and which of these are chromatic, (N,)."""

    features: Tensor
    chromatic: Tensor


@torch.no_grad()
def real_images(
    data: ColorizationData, split: SplitName, features: Callable[[Tensor], Tensor]
) -> Seen:
    """Compute features of the real images of a split."""
    seen = [
        Seen(features(batch.rgb), is_chromatic(batch.rgb))
        for batch in batches(data, split, CPU, f"{split} images")
    ]
    return Seen(*(torch.cat(parts) for parts in zip(*seen, strict=True)))


def gaussians(seen: Seen) -> dict[str, Gaussian]:
    """Fit Gaussians to the features of all images, and of the chromatic ones."""
    parts = (seen.features, seen.features[seen.chromatic])
    return {s: Gaussian.of(part.numpy()) for s, part in zip(SUBSETS, parts, strict=True)}


def fit_probe(
    features: Tensor, labels: Tensor, val_features: Tensor, val_labels: Tensor
) -> tuple[float, nn.Linear]:
    """Fit a linear probe (Alain and Bengio 2016) by cross-entropy on standardized features.

    Args:
        features: of training images, (N, D).
        labels: their classes, int64 (N,).
        val_features: of validation images.
        val_labels: their classes.

    Returns:
        The weight decay of `DECAYS` that gives the best accuracy on validation images, and the
        probe, of features as they are.
    """
    mean, deviation = features.mean(0), features.std(0) + 1e-6
    standard = (features - mean) / deviation
    fits = []
    for decay in DECAYS:
        probe = nn.Linear(features.shape[1], int(labels.max()) + 1)
        nn.init.zeros_(probe.weight)
        nn.init.zeros_(probe.bias)
        _minimise(probe, standard, labels, decay)
        with torch.no_grad():
            probe.weight /= deviation
            probe.bias.sub_(probe.weight @ mean)
            fits.append((correct(probe(val_features), val_labels), decay, probe))
    _, decay, probe = max(fits, key=lambda fit: fit[0])
    return decay, probe


def _minimise(probe: nn.Linear, features: Tensor, labels: Tensor, decay: float) -> None:
    optimizer = torch.optim.LBFGS(
        probe.parameters(), max_iter=200, history_size=20, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value: Tensor = F.cross_entropy(probe(features), labels)
        value = value + decay * probe.weight.square().sum() / 2
        value.backward()
        return value

    optimizer.step(loss)


def correct(scores: Tensor, labels: Tensor) -> float:
    """Percent of the classes that are right: (N, classes), (N,) -> accuracy."""
    return 100 * float((scores.argmax(1) == labels).float().mean())


def accuracy(judge: Judge, data: ColorizationData) -> float:
    """Test a judge on the official test set, in percent."""
    right = 0
    for batch in batches(data, "test", judge.device, "test images"):
        right += int((judge.look(batch.rgb)[1].argmax(1) == batch.label).sum())
    return 100 * right / len(data.split("test"))
