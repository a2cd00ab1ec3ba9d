import pickle
import shutil
import urllib.request
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from colorizer.config import build_trusted, compose_jobs
from colorizer.data import CIFAR10
from colorizer.errors import UserError


@pytest.mark.cifar10
def test_official_sizes_and_a_disjoint_split(cifar10: CIFAR10) -> None:
    sizes = [len(cifar10.split(name)) for name in ("train", "val", "test")]
    assert sizes == [45_000, 5_000, 10_000]
    both = torch.cat([cifar10.split("train").labels, cifar10.split("val").labels])
    assert both.bincount().tolist() == [5000] * 10
    official = [
        pickle.loads((_folder(cifar10) / f"data_batch_{n}").read_bytes(), encoding="latin1")["data"]
        for n in range(1, 6)
    ]
    expected = sorted(hash(row.tobytes()) for batch in official for row in batch)
    together = torch.cat([cifar10.split("train").images, cifar10.split("val").images])
    assert sorted(hash(image.numpy().tobytes()) for image in together) == expected


@pytest.mark.cifar10
def test_the_split_is_always_the_same(cifar10: CIFAR10) -> None:
    assert cifar10.split("train").fingerprint == "474217778bd14769"
    assert cifar10.split("val").fingerprint == "5e5583adef0a6aa4"
    assert cifar10.split("test").fingerprint == "815bee49b92162b0"


@pytest.mark.cifar10
@pytest.mark.parametrize("damage", ["cut", "altered", "missing"])
def test_a_damaged_file_is_named_and_left_alone(
    cifar10: CIFAR10, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    shutil.copytree(_folder(cifar10), folder)
    victim = folder / "data_batch_3"
    if damage == "missing":
        victim.unlink()
    else:
        content = bytearray(victim.read_bytes())
        content[1000] ^= 1
        victim.write_bytes(content[:-1] if damage == "cut" else content)
    before = victim.read_bytes() if damage != "missing" else None
    expected = "data_batch_3 is missing" if damage == "missing" else "data_batch_3 is cut short or"
    with pytest.raises(UserError, match=expected):
        CIFAR10(str(tmp_path)).prepare_data()
    assert (victim.read_bytes() if victim.exists() else None) == before


def test_without_data_or_network_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A proxy that refuses stands for a machine without a network. The first opener is kept with it.
    monkeypatch.setattr(urllib.request, "_opener", None)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(UserError) as caught:
        CIFAR10(str(tmp_path / "nowhere")).prepare_data()
    message = str(caught.value)
    assert str(tmp_path / "nowhere" / "cifar-10-batches-py") in message
    assert "COLORIZER_DATA" in message
    assert "data=photos" in message


def test_download_can_be_forbidden(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="data.download=true"):
        CIFAR10(str(tmp_path), download=False).prepare_data()


def test_only_its_own_size(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 pixels"):
        CIFAR10(str(tmp_path), image_size=64)


def _folder(data: CIFAR10) -> Path:
    return data.root / "cifar-10-batches-py"


@pytest.mark.cifar10
def test_trains_on_some_of_the_images(cifar10: CIFAR10) -> None:
    root = str(cifar10.root)
    few = CIFAR10(root=root, download=False, train_images=1000)
    assert torch.equal(few.split("train").images, cifar10.split("train").images[:1000])
    assert torch.equal(few.split("val").images, cifar10.split("val").images)
    assert torch.equal(few.split("test").images, cifar10.split("test").images)
    with pytest.raises(ValueError, match="between 1 and 45000"):
        CIFAR10(root=root, download=False, train_images=45_001)


@pytest.mark.cifar10
def test_a_runs_config_may_count_more_images_than_channels(cifar10: CIFAR10) -> None:
    (job,) = compose_jobs(["data.train_images=20_000", "data.val_images=10_000"])
    node = job.config.data
    OmegaConf.update(node, "root", str(cifar10.root))
    assert len(build_trusted(node, part="data").split("train")) == 20_000
