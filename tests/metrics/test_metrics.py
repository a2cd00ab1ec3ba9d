import math

import pytest
import torch
from skimage.metrics import structural_similarity

from colorizer.color import luma, rgb_to_lab
from colorizer.metrics import AuC, ColorAccuracy, Colorfulness, DeltaE2000, Fidelity, LumaError


def lab(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1).expand(1, 3, 4, 4)


@pytest.mark.parametrize(
    ("difference", "inside"),
    [
        ((2.0, 0.0, 0.0), True),
        ((3.0, 0.0, 0.0), False),
        ((0.0, 4.0, -4.0), True),  # 2.2 * 2 = 4.4
        ((0.0, 5.0, 0.0), False),
        ((2.4, 4.4, 0.0), True),  # rounded to integers first
        ((2.6, 0.0, 0.0), False),
    ],
)
def test_accuracy_at_2(difference: tuple[float, float, float], inside: bool) -> None:
    metric = ColorAccuracy(2)
    true = torch.tensor([50.0, 10.0, -20.0])
    metric.update(lab(*(true + torch.tensor(difference)).tolist()), lab(*true.tolist()))
    assert metric.compute().item() == (100 if inside else 0)


@pytest.mark.parametrize("distance", [0.0, 0.5, 3.0, 149.5, 150.0, 151.0, 400.0])
def test_auc_is_the_mean_over_151_thresholds(distance: float) -> None:
    metric = AuC()
    metric.update(lab(40, 0, distance), lab(60, 0, 0))
    expected = 100 * sum(distance <= threshold for threshold in range(151)) / 151
    assert metric.compute().item() == pytest.approx(expected, abs=1e-4)


def test_delta_e_is_a_mean_over_pixels() -> None:
    metric = DeltaE2000()
    metric.update(lab(50, 2.5, 0), lab(73, 25, -18))  # 27.1492, Sharma's pair 17
    metric.update(lab(50, 2.5, 0), lab(50, 2.5, 0))
    assert metric.compute().item() == pytest.approx(27.1492 / 2, abs=1e-4)


def test_colorfulness_by_hand() -> None:
    """Half red, half gray: rg is 255 or 0, yb is 127.5 or 0."""
    image = torch.full((1, 3, 4, 4), 0.5)
    image[:, :, :, :2] = torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)
    metric = Colorfulness()
    metric.update(image)
    spread = math.hypot(255 / 2, 127.5 / 2)
    offset = math.hypot(255 / 2, 127.5 / 2)
    assert metric.compute().item() == pytest.approx(spread + 0.3 * offset)


def test_gray_has_no_colour(rgb: torch.Tensor) -> None:
    metric = Colorfulness()
    metric.update(luma(rgb).expand(-1, 3, -1, -1))
    assert metric.compute().item() == 0


def test_luma_error_by_hand() -> None:
    metric = LumaError()
    metric.update(torch.full((1, 3, 2, 2), 0.6), torch.full((1, 1, 2, 2), 0.5))
    assert metric.compute().item() == pytest.approx(0.1)


def test_all_at_once_by_hand(rgb: torch.Tensor) -> None:
    prediction = (rgb + 0.1).clamp(0, 1)
    rounded = (prediction * 255).round() / 255
    fidelity = Fidelity()
    for part in (slice(0, 5), slice(5, None)):
        fidelity.update(prediction[part], rgb[part], luma(rgb)[part])
    found = {name: value.item() for name, value in fidelity.compute().items()}
    mse = (rounded - rgb).square().mean().item()
    assert found["mse"] == pytest.approx(mse, rel=1e-5)
    assert found["mae"] == pytest.approx((rounded - rgb).abs().mean().item(), rel=1e-5)
    assert found["psnr"] == pytest.approx(10 * math.log10(1 / mse), rel=1e-5)
    assert found["luma_error"] == pytest.approx(
        (luma(rounded) - luma(rgb)).abs().mean().item(), rel=1e-4
    )
    expected = DeltaE2000()
    expected.update(rgb_to_lab(rounded), rgb_to_lab(rgb))
    assert found["delta_e"] == pytest.approx(expected.compute().item(), rel=1e-5)
    ssim = [
        structural_similarity(
            one.numpy(),
            other.numpy(),
            channel_axis=0,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for one, other in zip(rounded, rgb, strict=True)
    ]
    # scikit-image leaves the border out.
    assert found["ssim"] == pytest.approx(sum(ssim) / len(ssim), abs=0.01)


def test_output_is_rounded_to_8_bits_before_scoring(rgb: torch.Tensor) -> None:
    fidelity = Fidelity()
    fidelity.update(rgb + 0.4 / 255, rgb, luma(rgb))
    found = fidelity.compute()
    assert found["mse"] < 1e-12
    assert found["acc2"] == 100


def test_an_exact_copy_and_a_new_start(rgb: torch.Tensor) -> None:
    fidelity = Fidelity()
    fidelity.update(1 - rgb, rgb, luma(rgb))
    fidelity.reset()
    fidelity.update(rgb, rgb, luma(rgb))
    found = fidelity.compute()
    assert found["psnr"] == math.inf
    assert found["delta_e"] == 0
    assert found["auc"] == pytest.approx(100)
    assert found["ssim"] == pytest.approx(1)


def test_a_layout_in_memory_does_not_matter(rgb: torch.Tensor) -> None:
    fidelity = Fidelity()
    fidelity.update(rgb.to(memory_format=torch.channels_last), rgb, luma(rgb))
    assert fidelity.compute()["mse"] < 1e-12
