import math

import pytest
import torch
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from colorizer.color import delta_e_2000, luma, rgb_to_lab
from colorizer.metrics import Fidelity, ImageMetric, Images, metrics
from colorizer.metrics.colorfulness import colorfulness


def lab(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1).expand(1, 3, 4, 4)


def measured(name: str, images: Images) -> float:
    metric = metrics()[name]
    assert isinstance(metric, ImageMetric)
    return float(metric.of_mean(metric.values(images).mean(0).numpy()))


def of_lab(prediction: torch.Tensor, target: torch.Tensor) -> Images:
    """Images of which only Lab matters."""
    nothing = torch.zeros(1, 3, 4, 4)
    images = Images(nothing, nothing, nothing[:, :1], target)
    images.lab = prediction
    return images


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
    true = torch.tensor([50.0, 10.0, -20.0])
    images = of_lab(lab(*(true + torch.tensor(difference)).tolist()), lab(*true.tolist()))
    assert measured("acc2", images) == (100 if inside else 0)


@pytest.mark.parametrize("distance", [0.0, 0.5, 3.0, 149.5, 150.0, 151.0, 400.0])
def test_auc_is_the_mean_over_151_thresholds(distance: float) -> None:
    expected = 100 * sum(distance <= threshold for threshold in range(151)) / 151
    found = measured("auc", of_lab(lab(40, 0, distance), lab(60, 0, 0)))
    assert found == pytest.approx(expected, abs=1e-4)


def test_delta_e_is_a_mean_over_pixels() -> None:
    # 27.1492 is Sharma's pair 17.
    prediction = torch.cat((lab(50, 2.5, 0), lab(50, 2.5, 0)))
    images = of_lab(prediction, torch.cat((lab(73, 25, -18), lab(50, 2.5, 0))))
    assert measured("delta_e", images) == pytest.approx(27.1492 / 2, abs=1e-4)


def test_colorfulness_by_hand() -> None:
    """Half red, half gray: rg is 255 or 0, yb is 127.5 or 0."""
    image = torch.full((1, 3, 4, 4), 0.5)
    image[:, :, :, :2] = torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)
    spread = math.hypot(255 / 2, 127.5 / 2)
    offset = math.hypot(255 / 2, 127.5 / 2)
    assert colorfulness(image).item() == pytest.approx(spread + 0.3 * offset)


def test_gray_has_no_colour(rgb: torch.Tensor) -> None:
    assert colorfulness(luma(rgb).expand(-1, 3, -1, -1)).max().item() == 0


def test_luma_error_by_hand() -> None:
    image = torch.full((1, 3, 2, 2), 0.6)
    images = Images(image, image, torch.full((1, 1, 2, 2), 0.5), rgb_to_lab(image))
    assert measured("luma_error", images) == pytest.approx(0.1)


def test_all_at_once_by_hand(rgb: torch.Tensor) -> None:
    prediction = (rgb + 0.1).clamp(0, 1)
    rounded = (prediction * 255).round() / 255
    fidelity = Fidelity()
    for part in (slice(0, 5), slice(5, None)):
        fidelity.update(prediction[part], rgb[part], luma(rgb)[part])
    found = fidelity.compute()
    mse = (rounded - rgb).square().mean().item()
    assert found["mse"] == pytest.approx(mse, rel=1e-5)
    assert found["mae"] == pytest.approx((rounded - rgb).abs().mean().item(), rel=1e-5)
    assert found["psnr"] == pytest.approx(10 * math.log10(1 / mse), rel=1e-5)
    assert found["luma_error"] == pytest.approx(
        (luma(rounded) - luma(rgb)).abs().mean().item(), rel=1e-4
    )
    expected = delta_e_2000(rgb_to_lab(rounded), rgb_to_lab(rgb)).mean().item()
    assert found["delta_e"] == pytest.approx(expected, rel=1e-5)
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
    theirs = structural_similarity_index_measure(rounded, rgb, data_range=1.0)
    assert isinstance(theirs, torch.Tensor)
    assert found["ssim"] == pytest.approx(theirs.item(), abs=2e-5)


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
