from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from colorizer.color import luma
from colorizer.config import build_trusted, compose_jobs
from colorizer.data import CIFAR10, Photos, Split
from colorizer.errors import UserError


def test_a_split_is_uint8_rgb() -> None:
    with pytest.raises(ValueError, match="expected uint8 images"):
        Split(torch.zeros(2, 3, 4, 4), torch.zeros(2))


def test_the_fingerprint_tells_one_changed_pixel() -> None:
    images = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    before = Split(images.clone(), torch.zeros(2)).fingerprint
    assert before == Split(images.clone(), torch.zeros(2)).fingerprint
    images[1, 2, 3, 3] = 1
    assert before != Split(images, torch.zeros(2)).fingerprint


def test_a_device_gets_its_share_of_the_batch() -> None:
    assert Photos(batch_size=64).device_batch_size(4) == 16


def test_two_processes_score_every_image_once(photos: Photos) -> None:
    """101 images become 51 and 50: none twice, none left out."""
    parts = []
    for rank in range(2):
        data = Photos()
        data._splits = {
            "test": Split(photos.split("test").images[:101], photos.split("test").labels[:101])
        }
        data.trainer = SimpleNamespace(world_size=2, global_rank=rank)  # type: ignore[assignment]
        parts.append(torch.cat([raw.rgb for raw in data.test_dataloader()]))
    assert [len(part) for part in parts] == [51, 50]
    together = sorted(image.numpy().tobytes() for image in torch.cat(parts))
    assert together == sorted(x.numpy().tobytes() for x in photos.split("test").images[:101])


def test_a_batch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"data.batch_size=64 .* 3 devices; data.batch_size=63 does"
    ):
        Photos(batch_size=64).device_batch_size(3)


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(UserError, match="more than the"):
        Photos(batch_size=100_000).train_dataloader()


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"eval_batch_size": 0}, {"max_shift": -1}, {"max_shift": 32}]
)
def test_impossible_numbers_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"data.{next(iter(wrong))}="):
        Photos(**wrong)  # type: ignore[arg-type]


def test_more_augmentations_change_training_images_alone(photos: Photos) -> None:
    class Darker(torch.nn.Module):
        def forward(self, rgb: torch.Tensor) -> torch.Tensor:
            return rgb * 0.5 - 0.1

    changed = Photos(max_shift=0, flip=False, augmentations={"darker": Darker(), "none": None})
    raw = photos.split("train").__getitems__(list(range(8)))
    plain, darker = changed.prepare(raw), changed.prepare(raw, augment=True)
    torch.testing.assert_close(darker.rgb, (plain.rgb * 0.5 - 0.1).clamp(0, 1))
    torch.testing.assert_close(darker.gray, luma(darker.rgb))
    torch.testing.assert_close(plain.rgb, raw.rgb.float() / 255)


def test_augmentations_of_a_recipe_are_kornias_and_repeat(photos: Photos) -> None:
    (job,) = compose_jobs(["experiment=faithful", "data.augmentations.zoom.degrees=5"])
    data = build_trusted(job.config.data)
    raw, found = photos.split("train").__getitems__(list(range(8))), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(data.prepare(raw, augment=True).rgb)
    assert torch.equal(found[0], found[1])
    assert not torch.allclose(found[0], found[2], atol=0.05)
    with pytest.raises(UserError, match="degreess"):
        compose_jobs(["experiment=faithful", "+data.augmentations.zoom.degreess=5"])


def test_the_content_is_fingerprinted_where_the_config_does_not_determine_it(
    photos: Photos, tmp_path: Path
) -> None:
    class Folder(Photos):
        """Another kind of data set, whose images may change behind its config."""

    assert photos.content_fingerprint() is None
    assert CIFAR10(str(tmp_path)).content_fingerprint() is None  # nothing is read for it
    assert set(CIFAR10.location_keys) == {"root", "download"}
    found = Folder().content_fingerprint()
    assert found == Folder().content_fingerprint()
    assert found is not None
    assert len(found) == 16
    changed = Folder()
    splits = dict(photos._splits or photos.load_splits())
    splits["val"] = Split(255 - splits["val"].images, splits["val"].labels)
    changed._splits = splits
    assert changed.content_fingerprint() != found


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_batches_are_fetched_there() -> None:
    split = Split(torch.randint(256, (64, 3, 4, 4), dtype=torch.uint8), torch.arange(64))
    there = split.on(torch.device("cuda"))
    indices = [5, 3, 60]
    found = there[indices[0]], there.__getitems__(indices)
    assert all(batch.rgb.is_cuda and batch.label.is_cuda for batch in found)
    assert torch.equal(found[1].rgb.cpu(), split.images[indices])
