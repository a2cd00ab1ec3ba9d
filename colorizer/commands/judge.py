"""Writes trained judges as files: `colorizer judge`."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from colorizer.console import say
from colorizer.data import ColorizationData
from colorizer.errors import UserError
from colorizer.evaluation.fidelity import data_of
from colorizer.evaluation.readings import is_chromatic
from colorizer.judge.frechet import Gaussian
from colorizer.judge.judges import SUBSETS, Judge, save_judge
from colorizer.judge.network import JudgeNetwork
from colorizer.quiet import quiet
from colorizer.runs import Run, open_finished


def main(folders: Sequence[str], output: str) -> None:
    """Write each run's judge as judge-SEED.safetensors, and say what the file scores.

    Args:
        folders: finished runs of experiment=judge.
        output: folder of the files.

    Raises:
        UserError: see `open_finished`; a run that is none of a judge; two of the same seed; or a
            folder that cannot be written to.
    """
    quiet()
    runs = [open_finished(folder) for folder in folders]
    for run in runs:
        if run.colorizes:
            raise UserError(f"{run.folder} is a run of a colorizer, not of a judge")
    seeds = [run.config.seed for run in runs]
    if len(set(seeds)) < len(seeds):
        raise UserError("two of these judges have the same seed, and would have the same file")
    for run in runs:
        path = Path(output) / f"judge-{run.config.seed}.safetensors"
        data = data_of(run)
        _write(run, data, path)
        megabytes = path.stat().st_size / 1e6
        say(f"{path}  {megabytes:.1f} MB, test accuracy {_accuracy(Judge(path), data):.2f} %")


def _write(run: Run, data: ColorizationData, path: Path) -> None:
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
    """Features of the real training images: of all, and of the chromatic ones."""
    every, chromatic = [], []
    images = len(data.split("train"))
    with tqdm(total=images, desc="training images", unit=" images", leave=False) as bar:
        for raw in data.predict_dataloader():
            rgb = data.prepare(raw).rgb
            features = network.features(rgb)
            every.append(features)
            chromatic.append(features[is_chromatic(rgb)])
            bar.update(len(rgb))
    return {
        subset: Gaussian.of(torch.cat(parts).numpy())
        for subset, parts in zip(SUBSETS, (every, chromatic), strict=True)
    }


def _accuracy(judge: Judge, data: ColorizationData) -> float:
    """Of the file's weights, in percent."""
    correct = 0
    for raw in data.test_dataloader():
        batch = data.prepare(raw)
        correct += int((judge.look(batch.rgb)[1].argmax(1) == batch.label).sum())
    return 100 * correct / len(data.split("test"))
