import pytest
import torch

from colorizer.color import luma
from colorizer.data import Batch, Photos
from colorizer.errors import UserError


def test_splits_are_crops_of_different_photographs(photos: Photos) -> None:
    labels = [set(photos.split(name).labels.tolist()) for name in ("train", "val", "test")]
    assert [len(found) for found in labels] == [3, 1, 1]
    assert not labels[0] & labels[1]
    assert not labels[0] & labels[2]
    assert len(photos.split("train")) > 1000
    assert photos.split("train").images.shape[1:] == (3, 32, 32)


def test_crops_are_in_colour(photos: Photos) -> None:
    images = photos.split("train").images.float()
    assert (images.amax(1) - images.amin(1)).mean() > 20


def test_another_size() -> None:
    data = Photos(image_size=16, scales=[2, 3])
    assert data.split("test").images.shape[1:] == (3, 16, 16)


def test_the_same_photograph_in_two_splits_is_refused() -> None:
    with pytest.raises(ValueError, match="'chelsea' is in another split too"):
        Photos(val=["chelsea"])


def test_crops_larger_than_the_photograph_are_refused() -> None:
    with pytest.raises(UserError, match="would have to be enlarged"):
        Photos(scales=[20]).split("train")


def test_an_unknown_photograph_is_refused() -> None:
    with pytest.raises(ValueError, match="no photograph 'moon'"):
        Photos(val=["moon"])


def test_a_batch_is_gray_and_colour_in_the_unit_range(photos: Photos) -> None:
    raw = next(iter(photos.train_dataloader()))
    assert raw.rgb.dtype == torch.uint8
    batch = photos.prepare(raw, augment=True)
    assert isinstance(batch, Batch)
    assert batch.rgb.shape == (64, 3, 32, 32)
    assert batch.gray.shape == (64, 1, 32, 32)
    assert batch.label.shape == (64,)
    assert batch.rgb.min() >= 0
    assert batch.rgb.max() <= 1
    torch.testing.assert_close(batch.gray, luma(batch.rgb))


def test_validation_is_in_order_and_not_augmented(photos: Photos) -> None:
    found = torch.cat([raw.rgb for raw in photos.val_dataloader()])
    assert torch.equal(found, photos.split("val").images)


def test_worker_processes_give_the_same_images(photos: Photos) -> None:
    data = Photos(num_workers=1)
    found = torch.cat([raw.rgb for raw in data.test_dataloader()])
    assert torch.equal(found, photos.split("test").images)
