"""Colour: the one grayscale conversion, exact YCbCr, 8-bit rounding and CIEDE2000.

RGB is gamma-encoded sRGB, float, in [0, 1], with the channels in dimension -3.
"""

import math

import torch
from torch import Tensor

# ITU-R BT.601 luma weights.
LUMA_WEIGHTS = (0.299, 0.587, 0.114)

# BT.601: Cb = (B - Y) / 1.772 and Cr = (R - Y) / 1.402 make chroma span [-0.5, 0.5].
CB_SCALE = 2 * (1 - LUMA_WEIGHTS[2])
CR_SCALE = 2 * (1 - LUMA_WEIGHTS[0])


def luma(rgb: Tensor) -> Tensor:
    """The gray image of RGB: 0.299 R + 0.587 G + 0.114 B on gamma-encoded values.

    Shapes: (..., 3, H, W) -> (..., 1, H, W), same range. Source: ITU-R BT.601.

    Raises:
        ValueError: the third dimension from the end is not 3.
    """
    _check_rgb(rgb)
    red, green, blue = rgb.unbind(-3)
    r, g, b = LUMA_WEIGHTS
    return (r * red + g * green + b * blue).unsqueeze(-3)


def rgb_to_chroma(rgb: Tensor) -> Tensor:
    """The two chroma channels Cb and Cr of RGB.

    Shapes: (..., 3, H, W) in [0, 1] -> (..., 2, H, W) in [-0.5, 0.5]. Source: ITU-R BT.601.
    """
    y = luma(rgb).squeeze(-3)
    return torch.stack(
        ((rgb.select(-3, 2) - y) / CB_SCALE, (rgb.select(-3, 0) - y) / CR_SCALE), dim=-3
    )


def chroma_to_rgb(gray: Tensor, chroma: Tensor) -> Tensor:
    """RGB from luminance and chroma, not clamped, so that `luma` of it is `gray` again.

    kornia's `ycbcr_to_rgb` rounds the matrix to three digits, which moves the luminance
    by up to 4e-4; here it is the exact inverse.

    Shapes: (..., 1, H, W) and (..., 2, H, W) -> (..., 3, H, W). Source: ITU-R BT.601.
    """
    y = gray.squeeze(-3)
    blue = y + CB_SCALE * chroma.select(-3, 0)
    red = y + CR_SCALE * chroma.select(-3, 1)
    r, g, b = LUMA_WEIGHTS
    green = (y - r * red - b * blue) / g
    return torch.stack((red, green, blue), dim=-3)


def round_to_8_bits(image: Tensor) -> Tensor:
    """Clamp to [0, 1] and round to the nearest of 256 levels, as an image file would be."""
    return image.clamp(0, 1).mul(255).round().div(255)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """CIE Lab (D65, 2 degrees) of sRGB.

    Shapes: (B, 3, H, W) in [0, 1] -> (B, 3, H, W), L in [0, 100], a and b about [-108, 99].
    The conversion is kornia's.
    """
    from kornia.color import rgb_to_lab as kornia_rgb_to_lab

    _check_rgb(rgb)
    lab: Tensor = kornia_rgb_to_lab(rgb)
    return lab


def delta_e_2000(lab1: Tensor, lab2: Tensor) -> Tensor:
    """CIEDE2000 colour difference with kL = kC = kH = 1.

    Shapes: (..., 3, H, W) twice -> (..., H, W), in units where about 1 is just noticeable.

    Source: Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula: implementation notes,
    supplementary test data, and mathematical observations", 2005; the equation numbers are theirs.
    """
    l1, a1, b1 = lab1.unbind(-3)
    l2, a2, b2 = lab2.unbind(-3)
    pow25_7 = 25.0**7

    c_mean = (torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2
    c_mean_7 = c_mean**7
    g = 0.5 * (1 - torch.sqrt(c_mean_7 / (c_mean_7 + pow25_7)))  # (4)
    a1, a2 = (1 + g) * a1, (1 + g) * a2  # (5)
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)  # (6)
    # (7), in radians, 0 where a = b = 0; in [0, 2 pi) as in the paper, which matters at 180 degrees
    h1, h2 = torch.atan2(b1, a1) % (2 * math.pi), torch.atan2(b2, a2) % (2 * math.pi)

    gray = (c1 * c2) == 0
    dh = h2 - h1
    dh = dh - 2 * math.pi * torch.round(dh / (2 * math.pi))  # (10), into [-pi, pi]
    dh = torch.where(gray, 0.0, dh)
    d_l = l2 - l1  # (8)
    d_c = c2 - c1  # (9)
    d_h = 2 * torch.sqrt(c1 * c2) * torch.sin(dh / 2)  # (11)

    l_mean = (l1 + l2) / 2  # (12)
    c_mean = (c1 + c2) / 2  # (13)
    # (14): the mean angle is on the shorter arc; where one colour is gray the hue is the other's.
    h_mean = torch.where(gray, h1 + h2, h1 + dh / 2)

    t = (
        1
        - 0.17 * torch.cos(h_mean - math.radians(30))
        + 0.24 * torch.cos(2 * h_mean)
        + 0.32 * torch.cos(3 * h_mean + math.radians(6))
        - 0.20 * torch.cos(4 * h_mean - math.radians(63))
    )  # (15)
    degrees = torch.rad2deg(h_mean) % 360
    d_theta = 30 * torch.exp(-(((degrees - 275) / 25) ** 2))  # (16)
    c_mean_7 = c_mean**7
    r_c = 2 * torch.sqrt(c_mean_7 / (c_mean_7 + pow25_7))  # (17)
    l_50 = (l_mean - 50) ** 2
    s_l = 1 + 0.015 * l_50 / torch.sqrt(20 + l_50)  # (18)
    s_c = 1 + 0.045 * c_mean  # (19)
    s_h = 1 + 0.015 * c_mean * t  # (20)
    r_t = -torch.sin(torch.deg2rad(2 * d_theta)) * r_c  # (21)
    d_l, d_c, d_h = d_l / s_l, d_c / s_c, d_h / s_h
    # Rounding can make the sum of squares slightly negative where both colours are the same.
    return (d_l**2 + d_c**2 + d_h**2 + r_t * d_c * d_h).clamp(min=0).sqrt()  # (22)


def _check_rgb(rgb: Tensor) -> None:
    if rgb.dim() < 3 or rgb.shape[-3] != 3:
        raise ValueError(f"expected RGB of shape (..., 3, H, W), got {tuple(rgb.shape)}")
