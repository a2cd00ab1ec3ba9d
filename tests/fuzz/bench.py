"""A place for inputs: right files, to be made wrong, and a watch over what must not happen."""

import contextlib
import os
import resource
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf

from colorizer.cards import halved, write_card
from colorizer.config import build_colorizer
from colorizer.files import read_json, read_yaml, write_json, write_text
from colorizer.judge.frechet import Gaussian
from colorizer.judge.judges import SUBSETS, save_judge
from colorizer.judge.network import JudgeNetwork
from colorizer.sweeps.search import Search

ROOT = Path(__file__).parents[2]
# A record with an evaluation.
RECORD = ROOT / "experiments/colorizers/without-labels/faithful-seed=0"

# Of computing; the machine may be busy with other things.
SECONDS, MEGABYTES = 10, 500

TIMERS = (
    (signal.SIGPROF, signal.ITIMER_PROF, SECONDS),
    (signal.SIGALRM, signal.ITIMER_REAL, 12 * SECONDS),  # what waits does not compute
)


class Hang(BaseException):
    """An input that takes too long; a BaseException, so that nobody takes it for a wrong file."""


@dataclass
class Bench:
    """A folder with right files, and an empty one that the program is in.

    Args:
        folder: of all.
        note: the input in words, as its kind writes it down before it is tried.
    """

    folder: Path
    note: str = ""
    right: dict[str, bytes] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.empty = self.folder / "empty"
        self.empty.mkdir(parents=True)
        self.canary = self.folder / "canary"
        self.run = self.folder / "run"
        make_run(self.run)
        self.weights = self.folder / "mine.safetensors"
        make_weights(self.run, self.weights)
        self.judge = self.folder / "judge.safetensors"
        make_judge(self.judge)
        self.config_dir = self.folder / "conf"
        for path in self.run.rglob("*"):
            if path.is_file():
                self.right[str(path.relative_to(self.run))] = path.read_bytes()
        self._peak = 0

    @contextlib.contextmanager
    def damaged(self, name: str, content: bytes) -> Iterator[None]:
        """The run with another content of a file."""
        path = self.run / name
        try:
            path.write_bytes(content)
            yield
        finally:
            path.write_bytes(self.right[name])

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[str]]:
        """A list that says afterwards what happened and must not: a hang, memory, execution."""
        found: list[str] = []
        Path("/proc/self/clear_refs").write_text("5")
        before = megabytes("VmRSS")
        for number, timer, most in TIMERS:
            signal.signal(number, _hang)
            signal.setitimer(timer, most)
        with contextlib.chdir(self.empty):
            try:
                yield found
            except Hang:
                found.append("hang")
            finally:
                for _, timer, _ in TIMERS:
                    signal.setitimer(timer, 0)
        more = megabytes("VmHWM") - before
        if more > MEGABYTES:
            found.append(f"memory: {more:.0f} MB")
        if self.canary.exists() or any(self.empty.iterdir()):
            written = [str(path) for path in self.empty.rglob("*")]
            found.append(f"execution: {[*written, str(self.canary)]}")
            self.canary.unlink(missing_ok=True)
            shutil.rmtree(self.empty)
            self.empty.mkdir()


def _hang(*_: object) -> None:
    raise Hang


def megabytes(name: str) -> float:
    """Of this process: VmRSS, what it has; VmHWM, the most it has had since clear_refs."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1000
    return 0.0


def limit_memory() -> None:
    """Let the process die rather than the machine."""
    most = 24 * 10**9
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def make_run(folder: Path) -> None:
    """A run directory with all files, of a network of a few weights."""
    shutil.copytree(RECORD, folder)
    config: Any = read_yaml(folder / "config.yaml")
    config["model"] = {"_target_": "colorizer.models.UNet", "widths": [2, 3]}
    config["representation"] = {"_target_": "colorizer.representations.YCbCr"}
    write_text(folder / "config.yaml", OmegaConf.to_yaml(config))
    colorizer = build_colorizer(OmegaConf.create(config))
    state = {f"colorizer.{name}": weight for name, weight in colorizer.state_dict().items()}
    place = {"batches": 0, "between_epochs": True, "finished": True, "best": 0.1, "seconds": 3.5}
    content = {
        "state_dict": state,
        "epoch": 3,
        "global_step": 700,
        "place": {**place, "random": [{"python": 1}]},
    }
    (folder / "checkpoints").mkdir()
    for name in ("best", "last"):
        torch.save(content, folder / "checkpoints" / f"{name}.ckpt")
    replicates = np.linspace(0.1, 0.2, 50, dtype=np.float32)
    np.savez_compressed(folder / "replicates.npz", mse=replicates, psnr=10 * replicates)
    make_sweep(folder)


def make_sweep(folder: Path) -> None:
    """The plan of a sweep and a search of one trial beside the run's own files."""
    job = {"folder": "0", "overrides": ["seed=0"], "title": "seed=0", "settings": "0" * 16}
    started = "2026-01-01T00:00:00.000+00:00"
    write_json(folder / "sweep.json", {"started": started, "run": ["0"], "jobs": [job]})
    search = {
        "monitor": "val/mse",
        "direction": "minimize",
        "space": {"optimizer.lr": "interval(0.1,1)"},
        "fixed": {"seed": 0},
        "overrides": ["data=photos"],
        "code": "0" * 16,
    }
    write_json(folder / "search.json", search)
    made = Search(folder, search)
    trial = made.study.ask()
    trial.suggest_float("optimizer.lr", 0.1, 1)
    made.study.tell(trial, 0.5)


def make_weights(run: Path, path: Path) -> None:
    """A file of weights of the run's network."""
    config: Any = read_yaml(run / "config.yaml")
    made = build_colorizer(OmegaConf.create(config))
    card = {
        "config": {key: config[key] for key in ("model", "representation", "data")},
        "results": read_json(run / "results.json"),
        "seed": 0,
        "command": "colorizer train",
        "changes": [],
        "commit": None,
        "dirty": False,
    }
    write_card(halved(made), "colorizer", card, path)


def make_judge(path: Path) -> None:
    """A judge of a few weights."""
    network = {"classes": 10, "widths": [4], "convolutions": 1}
    judge = JudgeNetwork(**network)  # type: ignore[arg-type]
    size = judge.scores.in_features
    real = Gaussian(np.zeros(size), np.eye(size))
    card = {"network": network, "data": "cifar10"}
    save_judge(judge, dict.fromkeys(SUBSETS, real), card, path)


def silence() -> None:
    """Let nothing that is printed fill the log of a campaign."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
