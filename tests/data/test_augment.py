import torch

from colorizer.data.augment import shift_and_flip


def numbered(count: int, size: int = 8) -> torch.Tensor:
    """Images whose pixels can all be told apart."""
    pixels = torch.arange(3 * size * size, dtype=torch.int64).view(1, 3, size, size)
    return pixels.expand(count, -1, -1, -1)


def test_nothing_asked_for_changes_nothing() -> None:
    images = numbered(4)
    assert torch.equal(shift_and_flip(images, 0, flip=False), images)


def test_flip_mirrors_about_half() -> None:
    images = numbered(400)
    flipped = shift_and_flip(images, 0, flip=True)
    mirrored = torch.tensor([torch.equal(image, images[0].flip(-1)) for image in flipped])
    kept = torch.tensor([torch.equal(image, images[0]) for image in flipped])
    assert bool((mirrored ^ kept).all())
    assert 140 < mirrored.sum() < 260


def test_every_image_is_a_window_of_its_reflected_self() -> None:
    images = numbered(200)
    padded = torch.nn.functional.pad(images.float(), (2, 2, 2, 2), mode="reflect").long()
    windows = {
        tuple(padded[0, :, dy : dy + 8, dx : dx + 8].flatten().tolist()): (dy, dx)
        for dy in range(5)
        for dx in range(5)
    }
    seen = {windows[tuple(image.flatten().tolist())] for image in shift_and_flip(images, 2, False)}
    assert len(seen) == 25


def test_channels_move_together() -> None:
    moved = shift_and_flip(numbered(50), 3, flip=True)
    assert torch.equal(moved[:, 1] - moved[:, 0], torch.full((50, 8, 8), 64))


def test_bytes_stay_bytes() -> None:
    images = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    assert shift_and_flip(images, 2, True).dtype == torch.uint8
