"""The commands that are killed."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# Trainings of a second.
SMALL = (
    "data=photos",
    "data.scales=[2,3]",
    "data.batch_size=8",
    "logger=csv",
    "threads=1",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=2",
    "+trainer.limit_train_batches=4",
    "callbacks.checkpoint.every_minutes=0.001",
    "~callbacks.progress",
    "+trainer.enable_progress_bar=false",
)
TINY = (
    *(value for value in SMALL if not value.startswith(("trainer.max", "+trainer.limit"))),
    *("model=cnn", "trainer.max_epochs=2", "+trainer.limit_train_batches=3"),
)
NARROW = ("model.widths=[8,16]", "model.blocks=1")
ZOOM = (
    "+data.augmentations.zoom={_target_:kornia.augmentation.RandomAffine,degrees:10,"
    "scale:[0.8,1.25],padding_mode:reflection,p:0.5}"
)
STUDY = """\
question: Does it go on?
overrides:
  - seed=range(2)
"""


def nothing(folder: Path, trained: Path) -> None:
    """Begin in an empty folder."""


def a_run(folder: Path, trained: Path) -> None:
    """Begin with a finished run."""
    shutil.copytree(trained, folder / "run")


def a_sweep(folder: Path, trained: Path) -> None:
    """Begin with two finished runs."""
    for name in ("one", "two"):
        shutil.copytree(trained, folder / "runs" / name)


def a_study(folder: Path, trained: Path) -> None:
    """Begin with a study that has not been run."""
    (folder / "experiments" / "tiny").mkdir(parents=True)
    values = "".join(f"  - {value!r}\n" for value in TINY)
    (folder / "experiments" / "tiny" / "study.yaml").write_text(f"{STUDY}{values}evaluate: true\n")


@dataclass(frozen=True)
class Scenario:
    """A command, killed again and again.

    Args:
        arguments: of `colorizer`.
        weight: its share of the kills.
        prepare: makes its folder, given that of a finished run.
        workers: what a worker's command line holds, where the command starts processes.
        fresh: whether it has to be a new Python: it starts itself again.
        own_cache: whether what baselines are scored with is made anew each time.
        needs_data: whether it needs CIFAR-10.
        span: the share of the time that it takes alone in which it is killed; less than 1 where
            it has much to do that it goes on with.
    """

    arguments: tuple[str, ...]
    weight: float
    prepare: Callable[[Path, Path], None] = field(default=nothing)
    workers: str = ""
    fresh: bool = False
    own_cache: bool = False
    needs_data: bool = False
    span: float = 1.0


def _train(*more: str, small: tuple[str, ...] = SMALL) -> tuple[str, ...]:
    return ("train", *small, *more, "hydra.run.dir=run")


def _many(*more: str) -> tuple[str, ...]:
    return ("train", "-m", "study=many", *TINY, *more)


LOCAL = ("hydra/launcher=local",)
RATE = "optimizer.lr=tag(log, interval(1e-4,1e-2))"
DECAY = "optimizer.weight_decay=interval(0.01,0.1)"


def _search(*more: str, trials: int = 4) -> tuple[str, ...]:
    return _many(
        "hydra/sweeper=optuna", RATE, DECAY, f"hydra.sweeper.n_trials={trials}",
        "hydra.sweeper.startup_trials=2", *more,
    )  # fmt: skip


SCENARIOS = {
    "train: regression, Muon, EMA": Scenario(
        _train("model=cnn", "callbacks=ema", "optimizer=muon", ZOOM), 12
    ),
    "train: bins": Scenario(_train("experiment=bins", *NARROW), 8),
    "train: flow": Scenario(
        _train(
            "experiment=flow",
            "task.label_weight=0",
            "task.guide=null",
            "model.guide=null",
            "model.velocity.widths=[8,16]",
            "model.velocity.blocks=1",
        ),
        8,
    ),
    "train: judge": Scenario(
        _train(
            "experiment=judge",
            "data=cifar10",
            "data.batch_size=16",
            "task.network.widths=[8,16,16]",
            "+trainer.limit_val_batches=1",
            "+trainer.limit_test_batches=1",
            small=tuple(s for s in SMALL if not s.startswith("data")),
        ),
        4,
        needs_data=True,
    ),
    "train: saved after every step": Scenario(
        _train(
            "model=cnn",
            "callbacks.checkpoint.every_minutes=0",
            "+trainer.accumulate_grad_batches=2",
            "+trainer.val_check_interval=2",
        ),
        8,
    ),
    "train: saved every 5 minutes": Scenario(
        _train("model=cnn", "callbacks.checkpoint.every_minutes=5", "+trainer.max_steps=6"), 6
    ),
    "train: W&B": Scenario(_train("model=cnn", "logger=default"), 3),
    "train: two processes": Scenario(
        _train("model=cnn", "trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu"),
        1,
        workers="colorizer",
        fresh=True,
    ),
    "grid": Scenario(_many("seed=0,1", "loss=mse,l1"), 14, span=0.5),
    "grid, launcher=local": Scenario(_many("seed=range(3)", *LOCAL), 2, workers="popen_loky"),
    "search": Scenario(_search("hydra.sweeper.pruner=none"), 10, span=0.5),
    "search, pruned": Scenario(
        # Whether a pruned trial has a last.ckpt must not be the clock's to say.
        _search(
            "optimizer.lr=choice(1e-2,1e-3,1e-12)",
            "trainer.max_epochs=4",
            "callbacks.checkpoint.every_minutes=0",
            trials=6,
        ),
        6,
        span=0.4,
    ),
    "search, launcher=local": Scenario(
        _search("hydra.sweeper.pruner=none", *LOCAL), 2, workers="popen_loky"
    ),
    "study": Scenario(("study", "tiny", "--keep"), 6, a_study, span=0.5),
    "evaluate": Scenario(("evaluate", "run", "-o", "scores"), 5, a_run, own_cache=True),
    "report": Scenario(("report", "runs", "--keep", "kept", "--figures", "figures"), 3, a_sweep),
    "weights": Scenario(("weights", "run", "-o", "mine.safetensors"), 2, a_run),
}
