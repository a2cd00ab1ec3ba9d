"""Photographs in colour: from Python, and by the command."""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import colorizer
from colorizer.color import luma, rgb_to_chroma
from colorizer.colorizer import Colorizer
from colorizer.errors import UserError
from colorizer.loaded import LoadedColorizer
from colorizer.models import GrayCopy
from colorizer.photographs import WORKING_RESOLUTION, colorize_image, resolution_of, working_size
from colorizer.photographs.upsampling import GuidedUpsampling, within_rgb
from colorizer.representations import RGB
from colorizer.weights import Weights
from tests.conftest import Here

CAT = Image.fromarray(data.chelsea())


@pytest.fixture(scope="module")
def faithful() -> LoadedColorizer:
    return colorizer.load("cifar10-faithful")


@pytest.fixture(scope="module")
def vivid() -> LoadedColorizer:
    return colorizer.load("cifar10-vivid")


def chroma_of(image: Image.Image) -> torch.Tensor:
    """(2, H, W)."""
    return rgb_to_chroma(torch.tensor(np.asarray(image)).movedim(-1, 0) / 255)


@pytest.mark.parametrize("read", [data.astronaut, data.chelsea, data.coffee, data.rocket])
def test_nearer_to_the_truth_than_gray(faithful: LoadedColorizer, read: object) -> None:
    """On each of the photographs, with the luminance to the last bit."""
    true = Image.fromarray(read())  # type: ignore[operator]
    found = faithful(true)
    assert found.size == true.size
    np.testing.assert_array_equal(np.asarray(found.convert("L")), np.asarray(true.convert("L")))
    error, gray_error = chroma_of(found) - chroma_of(true), chroma_of(true)
    assert error.square().mean() < gray_error.square().mean()


def test_small_images_stay_as_they_are(faithful: LoadedColorizer) -> None:
    """No larger than the working resolution, the network sees them as they are."""
    for size in ((32, 32), (WORKING_RESOLUTION, 90)):
        small = CAT.resize(size)
        pixels = torch.tensor(np.asarray(small)).movedim(-1, 0)[None].float() / 255
        rgb = faithful(luma(pixels))
        expected = (rgb[0] * 255).round().byte().movedim(0, -1).numpy()
        np.testing.assert_array_equal(np.asarray(faithful(small)), expected)


def test_an_image_and_colorize_image_are_the_same(faithful: LoadedColorizer) -> None:
    assert faithful(CAT).tobytes() == colorize_image(faithful, CAT).tobytes()
    other = colorize_image(faithful, CAT, resolution=100)
    assert other.tobytes() != faithful(CAT).tobytes()
    gray = colorize_image(faithful, CAT, saturation=0)
    assert gray.tobytes() == CAT.convert("L").convert("RGB").tobytes()


def test_draws(vivid: LoadedColorizer, faithful: LoadedColorizer) -> None:
    small = CAT.resize((150, 100))
    one, again, other = (colorize_image(vivid, small, sample_seed=s) for s in (1, 1, 2))
    assert one.tobytes() == again.tobytes()
    assert np.abs(np.asarray(one).astype(int) - np.asarray(other)).mean() > 1
    with pytest.raises(UserError, match="one answer alone"):
        colorize_image(faithful, small, sample_seed=1)


def test_what_is_out_of_range(faithful: LoadedColorizer) -> None:
    for wrong in ({"resolution": 7}, {"resolution": 2000}, {"saturation": -1.0}):
        with pytest.raises(UserError, match="from"):
            colorize_image(faithful, CAT, **wrong)


def test_chroma_is_nearer_to_the_truth_than_enlarged_bicubically() -> None:
    """True chroma of a small image, at the size of the large one."""
    for read in (data.astronaut, data.chelsea, data.coffee, data.rocket):
        rgb = torch.tensor(read()).movedim(-1, 0)[None] / 255
        height, width = rgb.shape[-2:]
        scale = 64 / min(height, width)
        size = (round(height * scale), round(width * scale))
        small = torch.nn.functional.interpolate(rgb, size, mode="bicubic", antialias=True)
        small, true = small.clamp(0, 1), rgb_to_chroma(rgb)[0]
        guided = GuidedUpsampling(luma(small), rgb_to_chroma(small), (width, height))
        found = rgb_to_chroma(guided.rgb(luma(rgb)[0], 0))
        (bicubic,) = torch.nn.functional.interpolate(
            rgb_to_chroma(small), (height, width), mode="bicubic"
        )
        bicubic = rgb_to_chroma(within_rgb(luma(rgb)[0], bicubic))
        assert (found - true).square().mean() < 0.95 * (bicubic - true).square().mean()


def test_enlarging_is_bicubic() -> None:
    """Without luminance to go by: as torch enlarges."""
    chroma = 0.1 * torch.rand(1, 2, 20, 30, generator=torch.Generator().manual_seed(0))
    flat = torch.full((1, 1, 20, 30), 0.5)
    for height, width in ((20, 30), (77, 100), (400, 31)):
        gray = torch.full((1, height, width), 0.5)
        found = GuidedUpsampling(flat, chroma, (width, height)).rgb(gray, 0)
        expected = torch.nn.functional.interpolate(chroma, (height, width), mode="bicubic")
        torch.testing.assert_close(rgb_to_chroma(found), expected[0], atol=1e-5, rtol=0)


def test_strips_are_the_whole() -> None:
    generator = torch.Generator().manual_seed(0)
    small, chroma = torch.rand(1, 1, 20, 30, generator=generator), torch.rand(1, 2, 20, 30) - 0.5
    gray = torch.rand(1, 200, 310, generator=generator)
    guided = GuidedUpsampling(small, chroma, (310, 200))
    whole = guided.rgb(gray, 0)
    parts = [guided.rgb(gray[:, top : top + 37], top) for top in range(0, 200, 37)]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)
    torch.testing.assert_close(luma(whole), gray, atol=1e-5, rtol=0)
    assert whole.min() > -1e-6
    assert whole.max() < 1 + 1e-6


def test_working_sizes() -> None:
    assert working_size((1200, 800), 48) == (72, 48)
    assert working_size((30, 20), 48) == (30, 20)
    width, height = working_size((20_000, 50), 48)
    assert width * height < 17 * 48**2
    assert working_size((1, 1), 48) == (1, 1)


def test_a_model_says_its_own_working_resolution() -> None:
    weights = Weights("cifar10-faithful")
    assert resolution_of(weights) == WORKING_RESOLUTION
    weights.config.data.image_size = 128  # of a network that was trained on larger pictures
    assert resolution_of(weights) == 128
    weights.card["working_resolution"] = 96
    assert resolution_of(weights) == 96
    weights.card["working_resolution"] = "large"
    with pytest.raises(UserError, match="working_resolution=large"):
        resolution_of(weights)


def test_a_network_of_one_size_says_so() -> None:
    class Picky(GrayCopy):
        def forward(self, gray: torch.Tensor) -> torch.Tensor:
            raise ValueError("32x32 alone")

    with pytest.raises(UserError, match="does not take 72x48 pixels: 32x32 alone"):
        colorize_image(Colorizer(Picky(3), RGB()), CAT.resize((300, 200)))


@pytest.fixture
def album(here: Here) -> Path:
    """Three photographs in two folders, in an empty folder."""
    (Path("album") / "1931").mkdir(parents=True)
    CAT.resize((90, 60)).save("album/a.jpg")
    CAT.resize((60, 90)).save("album/1931/b.png")
    CAT.resize((70, 70)).save("album/1931/c.webp")
    return Path("album")


def contents(folder: str) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in Path(folder).rglob("*") if p.is_file()}


def test_folders_and_going_on(album: Path, here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    """Structure is kept; what is there is left alone, and made again when that is asked for."""
    assert here("colorize", "album", "-o", "album/out") == 0
    before = contents("album/out")
    assert sorted(before) == [f"album/out/{p}" for p in ("1931/b.png", "1931/c.webp", "a.jpg")]
    Path("album/out/a.jpg").unlink()
    capsys.readouterr()
    assert here("colorize", "album", "-o", "album/out") == 0
    assert "1 photograph coloured; 2 were there already" in capsys.readouterr().out
    after = contents("album/out")
    assert {p for p in before if before[p] != after[p]} == {"album/out/a.jpg"}
    assert here("colorize", "album", "-o", "album/out", "--overwrite") == 0
    assert not set(after.items()) & set(contents("album/out").items())


def test_samples_and_comparison(album: Path, here: Here) -> None:
    vivid = ("--model", "cifar10-vivid", "--samples", "2")
    assert here("colorize", "album/a.jpg", "-o", "out", *vivid) == 0
    assert sorted(contents("out")) == ["out/a-1.jpg", "out/a-2.jpg"]
    assert here("colorize", "album/a.jpg", "-o", "other", *vivid, "--seed", "1") == 0
    assert Path("out/a-2.jpg").read_bytes() == Path("other/a-1.jpg").read_bytes()
    assert here("colorize", "album/1931/b.png", "-o", "b.png", *vivid, "--compare") == 0
    with Image.open("b.png") as image:
        assert image.size == (180, 90)
        gray, one, two = (image.crop((60 * i, 0, 60 * i + 60, 90)) for i in range(3))
        assert gray.convert("L").convert("RGB").tobytes() == gray.tobytes()
        for coloured in (one, two):
            assert coloured.convert("L").tobytes() == gray.convert("L").tobytes()
        assert one.tobytes() != two.tobytes()


def test_one_file_in_another_format(album: Path, here: Here) -> None:
    assert here("colorize", "album/1931/b.png", "-o", "new/b.jpg", "--model", "cifar10-vivid") == 0
    with Image.open("new/b.jpg") as image:
        assert image.format == "JPEG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.jpg", "-o", "out"), "there is no nowhere.jpg"),
        (("album", "-o", "album"), "album/a.jpg is the photograph itself"),
        (("album", "-o", "album/a.jpg"), "is a file: several photographs need a folder"),
        (("album/a.jpg", "other/a.jpg", "-o", "out"), "would both be out/a.jpg"),
        (("album", "-o", "out", "--samples", "2"), "has one answer alone"),
        (("album", "-o", "out", "--model", "cifar10-vivd"), "Did you mean 'cifar10-vivid'?"),
        (("album", "-o", "out", "--device", "abacus"), "--device abacus"),
    ],
)
def test_mistakes(
    album: Path,
    here: Here,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    Path("other").mkdir()
    CAT.resize((9, 9)).save("other/a.jpg")
    assert here("colorize", *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not Path("out").exists()


def test_the_disk_is_full(album: Path, here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that is cut short is left, and the command ends."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        assert here("colorize", "album", "-o", "out") == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "the disk is full" in capsys.readouterr().err
    assert contents("out") == {}


def test_the_first_picture_is_soon_there(album: Path) -> None:
    """From a cold start, in seconds of the processor, as a busy machine is no slow program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "colorizer", "colorize", "album/a.jpg", "-o", "out"]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    assert Path("out/a.jpg").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.tif"])
def test_memory_of_100_megapixels(here: Here, name: str) -> None:
    CAT.resize((10_000, 10_000)).save(name)
    code = (
        "import resource, sys; from colorizer.cli import main; main(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, "colorize", name, "-o", "out"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(done.stdout.split()[-1]) < 2_000_000
