"""A folder of real photographs, and folders of everything else that people have."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from colorizer.cache import cache_folder
from colorizer.data import ImageFolder
from colorizer.data.picture_splits import signature, split_pictures
from colorizer.runs import open_run
from tests.conftest import JOB, Here


def tiles() -> Iterator[Image.Image]:
    """14 photographs: parts of scikit-image's that do not overlap, and that show something."""
    for pixels in (data.astronaut(), data.chelsea(), data.coffee(), data.rocket()):
        picture = Image.fromarray(pixels)
        width, height = picture.size
        for left in range(0, width - 149, 150):
            for top in range(0, height - 139, 140):
                part = picture.crop((left, top, left + 150, top + 140))
                if np.asarray(part.convert("L")).std() > 40:
                    yield part


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    (root / "below").mkdir()
    for number, picture in enumerate(tiles()):
        place = root / "below" if number % 2 else root
        picture.save(place / f"{number}.{('jpg', 'png', 'webp', 'tif')[number % 4]}")
    return root


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def pictures_of(found: ImageFolder, name: str) -> set[str]:
    labels = set(found.split(name).labels.tolist())  # type: ignore[arg-type]
    return {Path(found.files[label]).name for label in labels}


def test_crops_of_one_picture_are_in_one_split(folder: Path) -> None:
    settings = {"image_size": 32, "scales": [1, 2], "crops_per_scale": 6, "batch_size": 16}
    found = ImageFolder(str(folder), **settings)  # type: ignore[arg-type]
    splits = [pictures_of(found, name) for name in ("train", "val", "test")]
    assert all(splits)
    assert sum(map(len, splits)) == len(set.union(*splits)) == len(list(tiles()))
    images = found.split("train").images
    assert images.dtype == torch.uint8
    assert images.shape[1:] == (3, 32, 32)
    most = found.split("train").labels.bincount().max()
    assert most <= 2 + 6  # the picture is hardly wider than high: 1 or 2 crops at scale 1
    batch = found.prepare(next(iter(found.train_dataloader())), augment=True)
    assert batch.gray.shape == (16, 1, 32, 32)


def test_the_centre_of_each_picture(tmp_path: Path, folder: Path) -> None:
    found = ImageFolder(str(folder), image_size=64, crops="center")
    assert len(found.split("train")) == len(pictures_of(found, "train"))
    label = int(found.split("test").labels[0])
    picture = Image.open(folder / found.files[label]).convert("RGB")
    expected = picture.crop((5, 0, 145, 140)).resize((64, 64), Image.Resampling.BICUBIC)
    seen = found.split("test").images[0].permute(1, 2, 0).float()
    assert (seen - torch.from_numpy(np.array(expected)).float()).abs().mean() < 3


def test_content_decides_not_names_and_places(folder: Path, copy: Path) -> None:
    (copy / "0.jpg").rename(copy / "below" / "renamed.jpeg")
    one, other = (ImageFolder(str(root), image_size=32) for root in (folder, copy))
    assert one.content_fingerprint() == other.content_fingerprint()
    next(tiles()).transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(copy / "new.png")
    assert other.content_fingerprint() == one.content_fingerprint()  # it was read before
    assert ImageFolder(str(copy), image_size=32).content_fingerprint() != one.content_fingerprint()


def test_a_picture_stays_in_its_split_when_others_come(folder: Path, copy: Path) -> None:
    settings = {"image_size": 32, "val_share": 0.2, "test_share": 0.2}
    before = ImageFolder(str(folder), **settings)  # type: ignore[arg-type]
    for number, picture in enumerate(tiles()):
        if number % 3 == 0:
            picture.rotate(180).save(copy / f"new{number}.png")
    after = ImageFolder(str(copy), **settings)  # type: ignore[arg-type]
    for name in ("train", "val", "test"):
        assert pictures_of(before, name) <= pictures_of(after, name)


def test_copies_of_another_size_or_quality_are_in_the_same_split(copy: Path) -> None:
    for number, picture in enumerate(tiles()):
        picture.resize((120, 112)).save(copy / f"{number}-small.jpg", quality=70)
    found = ImageFolder(str(copy), image_size=32, val_share=0.3, test_share=0.3)
    splits = [{n.split(".")[0] for n in pictures_of(found, s)} for s in ("train", "val", "test")]
    for names in splits:
        assert {f"{n}-small" for n in names if "-" not in n} == {n for n in names if "-" in n}


def test_signatures_tell_photographs_apart() -> None:
    found = [signature(picture) for picture in tiles()]
    apart = [(a ^ b).bit_count() for n, a in enumerate(found) for b in found[:n]]
    assert min(apart) > 5


def test_shares_of_pictures() -> None:
    generator = np.random.default_rng(0)
    looks = {f"{v:016x}": int(v) for v in generator.integers(0, 2**63, 400, dtype=np.uint64) * 2}
    counts = list(split_pictures(looks, 0.1, 0.3).values())
    assert 25 < counts.count("val") < 55
    assert 95 < counts.count("test") < 145
    few = dict(list(looks.items())[:3])
    assert sorted(split_pictures(few, 0.01, 0.01).values()) == ["test", "train", "val"]
    assert sorted(split_pictures(few, 0.45, 0.45).values()) == ["test", "train", "val"]


def test_what_is_left_out_is_named(
    copy: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (copy / "0.jpg").read_bytes()
    (copy / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (copy / "text.png").write_text("no picture")
    (copy / "again.jpg").write_bytes(whole)
    Image.fromarray(data.camera()).convert("RGB").save(copy / "gray.jpg")
    Image.new("RGB", (31, 400), "red").save(copy / "tiny.png")
    for attempt in ("read", "from the cache"):
        with caplog.at_level(logging.WARNING):
            found = ImageFolder(str(copy), image_size=32)
            assert len(found.files) == len(list(tiles()))
        text = caplog.text
        assert "2 of 19 pictures cannot be read and are left out: cut.jpg (" in text, attempt
        assert "text.png (no picture, or of an unknown kind)" in text
        assert "1 of 19 pictures are copies and are left out: again.jpg (of 0.jpg)" in text or (
            "0.jpg (of again.jpg)" in text
        )
        assert "1 of 19 pictures are gray and are left out: gray.jpg" in text
        assert "1 of 19 pictures are smaller than 32 pixels and are left out: tiny.png" in text
        caplog.clear()
        os.utime(copy / "0.jpg")  # looked at again
        monkeypatch.setattr("colorizer.data.picture_crops.read_picture", None)


def test_a_damaged_cache_is_made_again(folder: Path) -> None:
    settings = {"image_size": 32, "scales": [1.25]}
    first = ImageFolder(str(folder), **settings).content_fingerprint()  # type: ignore[arg-type]
    for path in (cache_folder() / "pictures").glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:1000])
    os.utime(folder / "0.jpg")
    again = ImageFolder(str(folder), **settings).content_fingerprint()  # type: ignore[arg-type]
    assert again == first


def test_mistakes(tmp_path: Path, here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    def error(*overrides: str) -> str:
        assert here("train", "data=image_folder", *overrides) == 2
        message = capsys.readouterr().err
        assert len(message.strip().splitlines()) == 1
        return message

    empty, two = tmp_path / "empty", tmp_path / "two"
    empty.mkdir()
    two.mkdir()
    for number, picture in zip(range(2), tiles(), strict=False):
        picture.save(two / f"{number}.png")
    (two / "broken.png").write_bytes(b"")
    (tmp_path / "file").write_text("")
    assert "data.root has no value" in error()
    assert "data.root=nowhere cannot be read: No such file" in error("data.root=nowhere")
    assert "cannot be read: Not a directory" in error(f"data.root={tmp_path / 'file'}")
    assert "no pictures there, nor in the folders below it" in error(f"data.root={empty}")
    message = error(f"data.root={two}")
    assert "at least 3 pictures that look different are needed" in message
    assert "2 can be used: 1 of 3 pictures cannot be read and are left out: broken.png" in message
    shares = ("data.val_share=0.5", "data.test_share=0.5")
    assert "data.val_share=0.5: with data.test_share=0.5" in error(f"data.root={two}", *shares)
    assert "data.crops=all: " in error(f"data.root={two}", "data.crops=all")


def test_training_goes_on_from_trained_weights_on_a_folder(
    folder: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    """From one run to the next; what it started from is recorded, and part of what a run is."""
    job = [part for part in JOB if not part.startswith(("data=", "model="))]
    job += ["data=image_folder", "data.image_size=32", "data.batch_size=16", "model=cnn"]
    job += ["model.width=4", "test=false", "optimizer.lr=1e-9"]

    def train(name: str, *overrides: str) -> int:
        return here("train", *job, f"data.root={folder}", *overrides, f"hydra.run.dir={name}")

    assert train("first") == 0
    assert here("weights", "first", "-o", "first.safetensors") == 0
    assert train("second", "seed=1", "start_from=first") == 0
    first, second = (open_run(name).tensors() for name in ("first", "second"))
    for name, tensor in first.items():
        if "running" not in name and tensor.is_floating_point():
            torch.testing.assert_close(second[name], tensor, atol=1e-5, rtol=0)
    run = open_run("second")
    assert run.config.start_from == "first"
    assert set(run.environment["weights"]) == {"start_from"}
    assert str(folder) not in (run.folder / "config.yaml").read_text()

    def error(*overrides: str) -> str:
        capsys.readouterr()
        assert train("wrong", *overrides) == 2
        return capsys.readouterr().err

    assert "weights of another network than model: network." in error(
        "start_from=first.safetensors", "model.width=5"
    )
    assert "there is no run, and are no weights, 'none'" in error("start_from=none")
    changed = ("start_from=first.safetensors", "representation=rgb")
    assert "weights of another network than model: network." in error(*changed)
