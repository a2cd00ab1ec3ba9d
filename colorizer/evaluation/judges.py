"""Judges from their trainings: weights in half precision, and features of the real images."""

from pathlib import Path

import torch
from torch import Tensor

from colorizer.data import ColorizationData
from colorizer.evaluation.images import batches
from colorizer.evaluation.readings import is_chromatic
from colorizer.judge import Gaussian, Judge, JudgeNetwork, save_judge
from colorizer.judge.judges import SUBSETS
from colorizer.runs import Run

CPU = torch.device("cpu")


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
    save_judge(network, real_features(network, data), card, path)


@torch.inference_mode()
def real_features(network: JudgeNetwork, data: ColorizationData) -> dict[str, Gaussian]:
    """Fit Gaussians to the features of the real training images: of all, and the chromatic ones."""
    every: list[Tensor] = []
    chromatic: list[Tensor] = []
    for batch in batches(data, "train", CPU, "training images"):
        features = network.features(batch.rgb)
        every.append(features)
        chromatic.append(features[is_chromatic(batch.rgb)])
    return {
        subset: Gaussian.of(torch.cat(parts).numpy())
        for subset, parts in zip(SUBSETS, (every, chromatic), strict=True)
    }


def accuracy(judge: Judge, data: ColorizationData) -> float:
    """Test a judge on the official test set, in percent."""
    correct = 0
    for batch in batches(data, "test", judge.device, "test images"):
        correct += int((judge.look(batch.rgb)[1].argmax(1) == batch.label).sum())
    return 100 * correct / len(data.split("test"))
