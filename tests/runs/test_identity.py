"""What makes two jobs the same, with a user's data set and network from outside the checkout."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from colorizer.config import compose_jobs
from colorizer.runs import data_content, job_code, recorded, settings_fingerprint
from tests.conftest import JOB, Here
from tests.sweeps.test_grid import states

# Without the photographs.
SWEEP = ("train", "-m", "study=first", *JOB[1:])

MODULE = """
from pathlib import Path

import torch
from colorizer.data import ColorizationData, Split


class Folder(ColorizationData):
    name = "folder"
    image_size = 32

    def __init__(self, folder: str, image_size: int = 32, batch_size: int = 4) -> None:
        super().__init__(batch_size, batch_size, 0, 0, False)
        self.folder = Path(folder)

    def load_splits(self):
        images = torch.load(self.folder / "images.pt", weights_only=True)
        return {name: Split(images, torch.zeros(len(images))) for name in ("train", "val", "test")}


class Elsewhere(Folder):
    location_keys = ("folder",)
"""


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a module, its config file, and two folders of the same images."""
    (tmp_path / "folder_data.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "conf" / "data").mkdir(parents=True)
    for name in ("Folder", "Elsewhere"):
        text = f"_target_: folder_data.{name}\nfolder: ???\nimage_size: 32\n"
        (tmp_path / "conf" / "data" / f"{name}.yaml").write_text(text)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_images(tmp_path / name, 1)
    yield tmp_path
    sys.modules.pop("folder_data", None)


def write_images(folder: Path, value: int) -> None:
    images = torch.full((16, 3, 32, 32), value, dtype=torch.uint8)
    torch.save(images, folder / "images.pt")


def test_a_study_of_a_users_data(
    user: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two folders are two jobs, and one whose images have changed is trained again."""
    study = (*SWEEP, "--config-dir", str(user / "conf"), "data=Folder", "test=false")
    folders = f"data.folder={user / 'a'},{user / 'b'}"
    assert here(*study, folders) == 0
    assert list(states(Path("outputs/first"))) == ["0", "1"]
    capsys.readouterr()
    assert here(*study, folders) == 0
    assert "2 of 2 jobs are in outputs/first already" in capsys.readouterr().out
    write_images(user / "b", 2)
    assert here(*study, folders) == 0
    assert "1 of 2 jobs are in outputs/first already" in capsys.readouterr().out
    assert states(Path("outputs/first"))["2"] == "finished"


def identity(*overrides: str, config_dir: Path | None = None) -> str:
    (job,) = compose_jobs(overrides, config_dir=str(config_dir) if config_dir else None)
    return settings_fingerprint(recorded(job.config), data_content(job.config))


def test_a_data_set_is_known_by_its_keys_and_its_content(user: Path) -> None:
    def of(folder: str) -> str:
        return identity("data=Folder", f"data.folder={user / folder}", config_dir=user / "conf")

    first = of("a")
    assert of("a") == first
    assert of("b") != first
    write_images(user / "a", 2)
    assert of("a") != first


def test_a_key_that_says_only_where_the_data_lies_is_left_out(user: Path) -> None:
    def of(folder: str) -> str:
        return identity("data=Elsewhere", f"data.folder={user / folder}", config_dir=user / "conf")

    assert of("a") == of("b")
    write_images(user / "b", 2)
    assert of("a") != of("b")
    (job,) = compose_jobs(
        ["data=Elsewhere", f"data.folder={user / 'a'}"], config_dir=str(user / "conf")
    )
    assert set(recorded(job.config).data) == {"_target_", "image_size"}


def test_cifar10_is_the_same_wherever_it_lies() -> None:
    first = identity("data.root=here")
    assert identity("data.root=there", "data.download=false") == first
    assert identity("data.val_images=400") != first
    assert identity("logger=none", "~callbacks.progress", "name=other") == first


def test_a_job_is_known_by_the_code_it_needs(user: Path) -> None:
    def of(*overrides: str) -> str:
        (job,) = compose_jobs(overrides, config_dir=str(user / "conf"))
        return job_code(recorded(job.config))

    unet = of("model=unet")
    assert (
        of("model=unet", "optimizer=adam", "seed=3", "logger=none", "~callbacks.progress") == unet
    )
    assert of("model=autoencoder") != unet
    assert of("model=unet", "loss=[mse,ssim]") != unet
    assert of("model=unet", "data=Folder", "data.folder=a") != unet


def test_weights_that_are_started_from_are_known_by_their_content(tmp_path: Path) -> None:
    """A file's, wherever a config names it; those of the package by their name."""
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"some")
    of_file = ("model=residual_unet", f"start_from={file}")
    guide = f"task.guide={{_target_: colorizer.load, which: {file}}}"
    jobs = [of_file, ("experiment=flow", "data=photos", guide)]
    before = [identity("data=photos", *overrides) for overrides in jobs]
    assert before == [identity("data=photos", *overrides) for overrides in jobs]
    file.write_bytes(b"other")
    for one, overrides in zip(before, jobs, strict=True):
        assert identity("data=photos", *overrides) != one
    named = identity("data=photos", "model=residual_unet", "start_from=cifar10-faithful")
    assert named != identity("data=photos", "model=residual_unet")


def test_settings_from_before_there_was_start_from_are_the_same() -> None:
    (job,) = compose_jobs(["data=photos"])
    written = recorded(job.config)
    earlier = written.copy()
    del earlier["start_from"]
    assert settings_fingerprint(earlier) == settings_fingerprint(written)
