import pytest
import torch
from omegaconf import OmegaConf

from colorizer.color import chroma_to_rgb, luma, rgb_to_chroma
from colorizer.config import build
from colorizer.losses import L1, MSE, SSIM, ChromaTotalVariation, GradientL1, Huber, TotalVariation
from colorizer.losses.base import Term
from colorizer.paths import config_folder, options


def shipped_terms() -> dict[str, Term]:
    """Every term that has a file in conf/loss/, as that file configures it."""
    terms: dict[str, Term] = {}
    for name in options("loss"):
        config = OmegaConf.load(config_folder() / "loss" / f"{name}.yaml")
        if "terms" in config:
            (term,) = config.terms
            terms[str(term)] = build(config.terms[term])
    return terms


TERMS = shipped_terms()
# Smoothness looks at the prediction alone; every other term compares.
COMPARING = tuple(name for name in TERMS if name not in ("tv", "chroma_tv"))
every_term = pytest.mark.parametrize("name", TERMS)


def flat(*rgb: float, size: int = 16) -> torch.Tensor:
    return torch.tensor(rgb).view(1, 3, 1, 1).expand(1, 3, size, size).clone()


def ramp(slope: float, size: int = 16) -> torch.Tensor:
    """Brighter by `slope` with each column, the same in all channels."""
    return (slope * torch.arange(size)).expand(1, 3, size, size).clone()


def test_errors_by_hand() -> None:
    prediction, target = flat(0.5, 0.5, 0.5), flat(0.5, 0.7, 0.1)
    assert MSE()(prediction, target).item() == pytest.approx((0.2**2 + 0.4**2) / 3)
    assert L1()(prediction, target).item() == pytest.approx(0.6 / 3)
    huber = (0.1 * (0.2 - 0.05) + 0.1 * (0.4 - 0.05)) / 3
    assert Huber(0.1)(prediction, target).item() == pytest.approx(huber)
    assert Huber(10.0)(prediction, target).item() == pytest.approx((0.2**2 + 0.4**2) / 6)


def test_total_variation_by_hand() -> None:
    target = flat(0, 0, 0)
    assert TotalVariation()(ramp(0.03), target).item() == pytest.approx(0.03)
    diagonal = ramp(0.03) + ramp(0.02).transpose(2, 3)
    assert TotalVariation()(diagonal, target).item() == pytest.approx(0.05)


def test_chroma_variation_by_hand_and_blind_to_luminance() -> None:
    target = flat(0, 0, 0)
    assert ChromaTotalVariation()(ramp(0.03), target).item() == pytest.approx(0, abs=1e-6)
    chroma = torch.zeros(1, 2, 16, 16)
    chroma[:, 0] = 0.01 * torch.arange(16)
    coloured = chroma_to_rgb(torch.full((1, 1, 16, 16), 0.5), chroma)
    # Cb changes by 0.01 a column, Cr does not: the mean of the two.
    assert ChromaTotalVariation()(coloured, target).item() == pytest.approx(0.005, abs=1e-7)


def test_gradient_by_hand() -> None:
    # Horizontal gradients differ by 0.02, vertical ones do not: the mean of the two.
    assert GradientL1()(ramp(0.05), ramp(0.03)).item() == pytest.approx(0.01)
    assert GradientL1()(ramp(0.05), ramp(0.05) + 0.3).item() == pytest.approx(0, abs=1e-7)


def test_ssim_by_hand() -> None:
    """Of flat images only the luminance part is left: (2ab + C1) / (a^2 + b^2 + C1)."""
    a, b, c1 = 0.3, 0.6, 0.01**2
    similarity = (2 * a * b + c1) / (a * a + b * b + c1)
    loss = SSIM(11)(flat(a, a, a).double(), flat(b, b, b).double())
    assert loss.item() == pytest.approx((1 - similarity) / 2)


@pytest.mark.parametrize("name", COMPARING)
def test_comparing_terms_are_zero_for_the_true_image(name: str, rgb: torch.Tensor) -> None:
    assert TERMS[name](rgb, rgb).item() == pytest.approx(0, abs=1e-6)
    assert TERMS[name](rgb.flip(0), rgb).item() > 0.001


@pytest.mark.parametrize("name", ["tv", "chroma_tv"])
def test_smoothness_is_zero_for_a_flat_image_only(name: str, rgb: torch.Tensor) -> None:
    assert TERMS[name](flat(0.2, 0.8, 0.4), rgb[:1, :, :16, :16]).item() == 0
    assert TERMS[name](rgb, rgb).item() > 0.001


@every_term
def test_the_batch_size_does_not_matter(name: str, rgb: torch.Tensor) -> None:
    prediction, target = rgb.flip(0), rgb
    one = TERMS[name](prediction, target)
    twice = TERMS[name](prediction.repeat(2, 1, 1, 1), target.repeat(2, 1, 1, 1))
    torch.testing.assert_close(one, twice)


@every_term
def test_the_image_size_does_not_matter(name: str) -> None:
    """Patterns that look the same everywhere score the same on a larger image."""

    def pair(size: int) -> tuple[torch.Tensor, torch.Tensor]:
        if name == "ssim":
            return flat(0.3, 0.4, 0.5, size=size), flat(0.6, 0.4, 0.1, size=size)
        scale = torch.tensor([1.0, -0.5, 0.7]).view(1, 3, 1, 1)
        if name in ("tv", "chroma_tv", "gradient"):
            return ramp(0.01, size) * scale, ramp(0.004, size)
        return flat(0.3, 0.4, 0.5, size=size), flat(0.6, 0.4, 0.1, size=size)

    torch.testing.assert_close(TERMS[name](*pair(16)), TERMS[name](*pair(48)))


@every_term
def test_gradients(name: str) -> None:
    torch.manual_seed(0)
    prediction = torch.rand(2, 3, 7, 8, dtype=torch.float64, requires_grad=True)
    target = torch.rand(2, 3, 7, 8, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda image: TERMS[name](image, target), prediction)


def test_structure_terms_see_blur(rgb: torch.Tensor) -> None:
    blurred = torch.nn.functional.avg_pool2d(rgb, 3, stride=1, padding=1)
    for name in ("ssim", "gradient"):
        assert TERMS[name](blurred, rgb) > TERMS[name](rgb + 0.02, rgb)


def test_smoothing_the_chroma_lowers_chroma_variation_alone(rgb: torch.Tensor) -> None:
    chroma = torch.nn.functional.avg_pool2d(rgb_to_chroma(rgb), 3, stride=1, padding=1)
    smooth = chroma_to_rgb(luma(rgb), chroma)
    assert ChromaTotalVariation()(smooth, rgb) < 0.8 * ChromaTotalVariation()(rgb, rgb)
    assert TotalVariation()(smooth, rgb) > 0.8 * TotalVariation()(rgb, rgb)


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="window_size=4"):
        SSIM(4)
    with pytest.raises(ValueError, match="delta=0"):
        Huber(0)
