import numpy as np
import pytest
import torch
from skimage import color as skimage_color

from colorizer.color import (
    chroma_to_rgb,
    delta_e_2000,
    luma,
    rgb_to_chroma,
    rgb_to_lab,
    round_to_8_bits,
)

# Sharma, Wu, Dalal 2005, table 1: L a b, L a b, and the difference.
SHARMA = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


def test_luma_is_the_weighted_sum() -> None:
    rgb = torch.tensor([0.2, 0.5, 0.7]).view(1, 3, 1, 1)
    assert luma(rgb).item() == pytest.approx(0.299 * 0.2 + 0.587 * 0.5 + 0.114 * 0.7)
    assert luma(rgb).shape == (1, 1, 1, 1)


def test_luma_of_gray_is_gray() -> None:
    gray = torch.linspace(0, 1, 256).view(1, 1, 16, 16)
    torch.testing.assert_close(luma(gray.expand(1, 3, 16, 16)), gray)


def test_luma_refuses_what_is_not_rgb() -> None:
    with pytest.raises(ValueError, match=r"\(\.\.\., 3, H, W\), got \(2, 4, 4\)"):
        luma(torch.zeros(2, 4, 4))


def test_chroma_and_back(rgb: torch.Tensor) -> None:
    torch.testing.assert_close(chroma_to_rgb(luma(rgb), rgb_to_chroma(rgb)), rgb)


def test_pure_colours_span_the_chroma_range() -> None:
    blue, red = torch.zeros(3, 1, 1), torch.zeros(3, 1, 1)
    blue[2], red[0] = 1, 1
    assert rgb_to_chroma(blue)[0].item() == pytest.approx(0.5)
    assert rgb_to_chroma(red)[1].item() == pytest.approx(0.5)


def test_any_chroma_keeps_the_luminance(rgb: torch.Tensor) -> None:
    gray = luma(rgb)
    chroma = torch.rand(len(rgb), 2, 32, 32) - 0.5
    torch.testing.assert_close(luma(chroma_to_rgb(gray, chroma)), gray)


def test_rounding_clamps_and_gives_256_levels() -> None:
    levels = round_to_8_bits(torch.linspace(-0.5, 1.5, 10_000)).unique()
    torch.testing.assert_close(levels, torch.arange(256).div(255))


def test_delta_e_on_the_published_pairs() -> None:
    rows = np.loadtxt(SHARMA.splitlines())
    assert len(rows) == 34
    table = torch.from_numpy(rows)
    one, two = (table[:, columns].T.reshape(3, -1, 1) for columns in (slice(0, 3), slice(3, 6)))
    found = delta_e_2000(one, two).flatten()
    torch.testing.assert_close(found, table[:, 6], atol=5.1e-5, rtol=0)
    torch.testing.assert_close(delta_e_2000(two, one).flatten(), found)


def test_lab_and_delta_e_agree_with_scikit_image(rgb: torch.Tensor) -> None:
    other = rgb.flip(0)
    ours = delta_e_2000(rgb_to_lab(rgb), rgb_to_lab(other))
    lab, lab_other = (
        skimage_color.rgb2lab(image.double().movedim(1, -1).numpy()) for image in (rgb, other)
    )
    assert np.abs(rgb_to_lab(rgb).movedim(1, -1).numpy() - lab).max() < 0.01
    assert np.abs(ours.numpy() - skimage_color.deltaE_ciede2000(lab, lab_other)).max() < 0.01


def test_delta_e_of_the_same_colour_is_zero(rgb: torch.Tensor) -> None:
    lab = rgb_to_lab(rgb)
    assert delta_e_2000(lab, lab).abs().max() == 0
