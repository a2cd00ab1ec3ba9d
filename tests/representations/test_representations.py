import pytest
import torch
from kornia.filters import gaussian_blur2d
from torch.nn import functional as F

from colorizer.color import chroma_to_rgb, luma, rgb_to_chroma
from colorizer.data import CIFAR10
from colorizer.representations import RGB, ChromaBins, HaarChroma, Representation, YCbCr

HAAR = HaarChroma([0.06, 0.008, 0.0026])


@pytest.mark.parametrize(("representation", "size"), [(RGB(), 32), (YCbCr(), 32), (HAAR, 16)])
def test_decoding_what_was_encoded_gives_the_image(
    representation: Representation, size: int, rgb: torch.Tensor
) -> None:
    output = representation.encode(rgb)
    assert output.shape == (len(rgb), representation.channels, size, size)
    torch.testing.assert_close(representation.decode(luma(rgb), output), rgb)


def test_coarse_chroma_is_enlarged(rgb: torch.Tensor) -> None:
    smooth = gaussian_blur2d(rgb, (13, 13), (3.0, 3.0))
    coarse = F.avg_pool2d(YCbCr().encode(smooth), 2)
    decoded = YCbCr().decode(luma(smooth), coarse)
    assert decoded.shape == rgb.shape
    assert (decoded - smooth).abs().mean() < 0.005


def test_coarse_rgb_is_refused_since_it_would_lose_the_detail() -> None:
    with pytest.raises(ValueError, match="needs 32x32 pixels, the network gives 16x16"):
        RGB().decode(torch.rand(1, 1, 32, 32), torch.rand(1, 3, 16, 16))


def test_ycbcr_cannot_change_the_luminance(rgb: torch.Tensor) -> None:
    gray = luma(rgb)
    decoded = YCbCr().decode(gray, torch.randn(len(rgb), 2, 32, 32))
    torch.testing.assert_close(luma(decoded), gray, atol=1e-5, rtol=1e-5)


# --- averages and details ---


def test_bands_are_the_averages_and_the_differences_of_patches(rgb: torch.Tensor) -> None:
    chroma, bands = rgb_to_chroma(rgb), HAAR.encode(rgb).unflatten(1, (4, 2))
    torch.testing.assert_close(bands[:, 0] * 0.06, F.avg_pool2d(chroma, 2))
    left, right = chroma[..., 0::2], chroma[..., 1::2]
    sideways = (left - right)[..., 0::2, :] + (left - right)[..., 1::2, :]
    torch.testing.assert_close(bands[:, 1] * 0.008, sideways / 4)
    across = (left - right)[..., 0::2, :] - (left - right)[..., 1::2, :]
    torch.testing.assert_close(bands[:, 3] * 0.0026, across / 4)


@pytest.mark.cifar10
def test_bands_of_real_images_have_about_unit_variance(cifar10: CIFAR10) -> None:
    images = cifar10.split("train").images[:1000].float() / 255
    bands = HAAR.encode(images).unflatten(1, (4, 2))
    assert (bands.std(dim=(0, 2, 3, 4)).log2().abs() < 0.5).all()


def test_bands_of_the_whole_size_are_refused() -> None:
    with pytest.raises(ValueError, match="half of 32x32 pixels, the network gives 32x32"):
        HAAR.decode(torch.rand(1, 1, 32, 32), torch.rand(1, 8, 32, 32))


@pytest.mark.parametrize("scales", [[0.06, 0.008], [0.06, 0.008, 0.0]])
def test_scales_that_cannot_be(scales: list[float]) -> None:
    with pytest.raises(ValueError, match="three, all above 0"):
        HaarChroma(scales)


# --- bins of chroma ---

BINS = ChromaBins(step=0.05, temperature=0.38)
CENTERS = BINS.centers(torch.device("cpu"))


def test_every_colour_has_a_bin_within_half_a_step() -> None:
    """Those on the edges of the RGB cube have the most chroma."""
    edges = torch.rand(20_000, 3)
    edges[:10_000, 0], edges[:10_000, 1] = 0, 1
    edges[10_000:, 0], edges[10_000:, 2] = 1, 0
    colours = torch.cat([edges, edges.roll(1, 1), edges.roll(2, 1)])[:, :, None, None]
    chroma = rgb_to_chroma(colours)
    bins, weights = BINS.neighbours(chroma)
    away = (CENTERS[bins[:, 0, 0, 0]] - chroma[:, :, 0, 0]).abs().amax(1)
    assert away.max() <= 0.025 + 1e-6
    torch.testing.assert_close(weights.sum(1), torch.ones(len(colours), 1, 1))


def test_the_soft_code_is_that_of_a_search_through_all_bins(rgb: torch.Tensor) -> None:
    chroma = rgb_to_chroma(rgb)
    bins, weights = BINS.neighbours(chroma)
    pixels = chroma.movedim(1, -1).reshape(-1, 2)[::37]
    nearest = torch.cdist(pixels, CENTERS).topk(5, largest=False)
    expected = torch.exp(-(nearest.values**2) / (2 * 0.025**2))
    expected = expected / expected.sum(1, keepdim=True)
    found = weights.movedim(1, -1).reshape(-1, 5)[::37]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert (
        bins.movedim(1, -1).reshape(-1, 5)[::37, 0] == nearest.indices[:, 0]
    ).float().mean() > 0.99


def test_the_mean_of_the_soft_code_is_nearly_the_colour(rgb: torch.Tensor) -> None:
    decoded = BINS.decode(luma(rgb), BINS.encode(rgb))
    assert (rgb_to_chroma(decoded) - rgb_to_chroma(rgb)).abs().max() < 0.025
    torch.testing.assert_close(luma(decoded), luma(rgb))


def test_the_temperature_goes_from_the_mean_to_the_mode() -> None:
    logits = torch.zeros(1, BINS.channels, 1, 1)
    logits[0, 7], logits[0, 200] = 5.0, 4.5
    gray = torch.full((1, 1, 1, 1), 0.5)
    found = {t: ChromaBins(0.05, t).decode(gray, logits) for t in (1.0, 0.38, 0.01)}
    chroma = {t: rgb_to_chroma(rgb).flatten() for t, rgb in found.items()}
    mean = logits.softmax(1).flatten() @ CENTERS
    torch.testing.assert_close(chroma[1.0], mean)
    torch.testing.assert_close(chroma[0.01], CENTERS[7])
    away = [(chroma[t] - CENTERS[7]).norm() for t in (1.0, 0.38, 0.01)]
    assert away == sorted(away, reverse=True)


def test_what_is_drawn_has_the_predicted_distribution() -> None:
    torch.manual_seed(0)
    logits = torch.randn(1, BINS.channels, 4, 4) * 3
    images = logits.expand(4000, -1, -1, -1)
    drawn = BINS.draw(images, torch.Generator().manual_seed(0)).argmax(1)
    share = torch.stack([(drawn == i).float().mean(0) for i in range(BINS.channels)])
    assert (share - logits.softmax(1)[0]).abs().max() < 0.03
    # Where the prediction is the same, so is what is drawn.
    alike = images[:9, :, :1, :1].expand(-1, -1, 4, 4)
    same = BINS.draw(alike, torch.Generator().manual_seed(0)).argmax(1)
    assert (same == same[..., :1, :1]).all()
    assert len(same.unique()) > 1


@pytest.mark.parametrize(
    ("step", "temperature", "message"),
    [(0.0, 0.38, "step=0.0"), (0.3, 0.38, "step=0.3"), (0.05, 0.0, "temperature=0.0")],
)
def test_bins_that_cannot_be(step: float, temperature: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChromaBins(step, temperature)


def test_a_gray_image_of_any_level_is_kept() -> None:
    gray = torch.rand(1, 1, 8, 8)
    decoded = BINS.decode(gray, torch.randn(1, BINS.channels, 4, 4))
    torch.testing.assert_close(luma(decoded), gray, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(decoded, chroma_to_rgb(gray, torch.zeros(1, 2, 8, 8)))
