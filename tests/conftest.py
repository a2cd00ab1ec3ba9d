"""Shared by all tests: the data sets, the command as a process, and one trained run."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from colorizer.cli import main
from colorizer.data import CIFAR10, Photos

Command = Callable[..., "subprocess.CompletedProcess[str]"]

CIFAR10_ROOT = os.environ.get("COLORIZER_DATA", "data")
NEEDS_COMPILER = pytest.mark.skipif(
    shutil.which("c++") is None, reason="torch.compile needs a C++ compiler"
)
HAS_CIFAR10 = (Path(CIFAR10_ROOT) / "cifar-10-batches-py" / "test_batch").is_file()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the real CIFAR-10 are skipped without it, unless it is required."""
    if HAS_CIFAR10 or os.environ.get("COLORIZER_REQUIRE_DATA") == "1":
        return
    skip = pytest.mark.skip(reason="CIFAR-10 is not there: set COLORIZER_DATA")
    for item in items:
        if item.get_closest_marker("cifar10"):
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def _surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """W&B stays offline, and nothing is kept in the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "offline")
        # Shared by the processes of pytest-xdist.
        base = tmp_path_factory.getbasetemp()
        shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        patch.setenv("XDG_CACHE_HOME", str(shared / "cache"))
        yield


@pytest.fixture(scope="session")
def cifar10() -> CIFAR10:
    return CIFAR10(CIFAR10_ROOT, download=False)


@pytest.fixture(scope="session")
def photos() -> Photos:
    return Photos(batch_size=64)


@pytest.fixture(scope="session")
def rgb(photos: Photos) -> torch.Tensor:
    """Real images: float (16, 3, 32, 32) in [0, 1]."""
    return photos.split("train").images[::100][:16].float().div(255)


def run_command(*arguments: str, **kwargs: object) -> "subprocess.CompletedProcess[str]":
    """`colorizer ARGUMENTS` as a process of its own."""
    return subprocess.run(  # type: ignore[call-overload]
        [sys.executable, "-m", "colorizer", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **kwargs,
    )


Here = Callable[..., int]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """`colorizer ARGUMENTS` in this process and an empty folder; gives back the exit status."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> int:
        with pytest.MonkeyPatch.context() as patch:
            # What the command changes for the processes that Lightning may start.
            patch.setattr(sys, "argv", sys.argv)
            patch.setattr(sys.modules["__main__"], "__spec__", None)
            patch.setenv("HYDRA_FULL_ERROR", "1")
            handlers = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
            threads = torch.get_num_threads()
            try:
                return main(arguments)
            finally:
                torch.set_num_threads(threads)
                for number, handler in handlers.items():
                    signal.signal(number, handler)

    return run


@pytest.fixture(scope="session")
def command() -> Command:
    return run_command


# A job of a sweep, of a second.
JOB = (
    "data=photos",
    "model=linear",
    "trainer.max_epochs=1",
    "+trainer.limit_train_batches=3",
    "trainer.accelerator=cpu",
    "threads=1",
    "logger=none",
    "~callbacks.progress",
    "+trainer.enable_progress_bar=false",
)

# A training of seconds: 2 epochs of 5 batches.
QUICK = (
    "data=photos",
    "trainer.max_epochs=2",
    "+trainer.limit_train_batches=5",
    "trainer.accelerator=cpu",
    "threads=2",
)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory of a finished training, from the real command."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    done = run_command(
        "train", *QUICK, "seed=3", "tags=[test]", "group=tests", f"hydra.run.dir={folder}"
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    return folder
