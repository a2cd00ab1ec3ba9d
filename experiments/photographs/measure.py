"""Measures photographs in colour on those of scikit-image, and makes the pictures of the page.

    python experiments/photographs/measure.py

Writes resolution.md, enlarging.md and the pictures beside itself, in minutes.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from kornia.filters import guided_blur, joint_bilateral_blur
from PIL import Image, ImageDraw, ImageFont
from skimage import data
from torch import Tensor
from torch.nn import functional as F

import colorizer
from colorizer.color import delta_e_2000, luma, rgb_to_chroma, rgb_to_lab
from colorizer.console import markdown_table
from colorizer.photographs import colorize_image, working_size
from colorizer.photographs.upsampling import GuidedUpsampling, within_rgb

HERE = Path(__file__).parent

# Of natural colour, and none of them in any training.
PHOTOGRAPHS = {
    "astronaut": data.astronaut(),
    "cat": data.chelsea(),
    "coffee": data.coffee(),
    "rocket": data.rocket(),
    "motorcycle": data.stereo_motorcycle()[0],
}
RESOLUTIONS = (24, 32, 48, 64, 80, 96, 128, 192, 256)


def tensor_of(image: Image.Image | np.ndarray) -> Tensor:
    """RGB (1, 3, H, W) in [0, 1]."""
    return torch.tensor(np.asarray(image)).movedim(-1, 0)[None] / 255


def psnr(one: Tensor, other: Tensor) -> float:
    """Of chroma, in dB of a range of 1."""
    return -10 * float((one - other).square().mean().log10())


def gains(model: str, resolution: int) -> list[tuple[float, float]]:
    """By how much colours are nearer to the truth than gray, of each photograph: ΔE00 and dB."""
    colorize, found = colorizer.load(model), []
    for pixels in PHOTOGRAPHS.values():
        true = tensor_of(pixels)
        gray = luma(true).expand(-1, 3, -1, -1)
        image = colorize_image(colorize, Image.fromarray(pixels), resolution=resolution)
        lab = [rgb_to_lab(rgb) for rgb in (tensor_of(image), gray, true)]
        errors = [float(delta_e_2000(one, lab[2]).mean()) for one in lab[:2]]
        chroma = [rgb_to_chroma(rgb) for rgb in (tensor_of(image), gray, true)]
        decibels = [psnr(one, chroma[2]) for one in chroma[:2]]
        found.append((errors[0] - errors[1], decibels[0] - decibels[1]))
    return found


def resolution_table() -> str:
    """Mean gains at each working resolution, and on how many photographs ΔE00 is smaller."""
    rows: dict[str, list[str]] = {}
    for model in ("cifar10-faithful", "cifar10-vivid@1"):
        for resolution in RESOLUTIONS:
            errors, decibels = zip(*gains(model, resolution), strict=True)
            for title, text in (
                ("ΔE00", f"{np.mean(errors):+.2f}"),
                ("dB of chroma", f"{np.mean(decibels):+.2f}"),
                ("better, of 5", f"{sum(error < 0 for error in errors)}"),
            ):
                rows.setdefault(f"{model}, {title}", []).append(text)
    titles = ["shorter side", *map(str, RESOLUTIONS)]
    return markdown_table(titles, [[title, *cells] for title, cells in rows.items()])


def bicubic(small: Tensor, true: Tensor) -> Tensor:
    """Chroma alone, enlarged."""
    return F.interpolate(rgb_to_chroma(small), true.shape[-2:], mode="bicubic")


def guided(kernel: float, epsilon: float) -> Callable[[Tensor, Tensor], Tensor]:
    """kornia's guided filter of the enlarged chroma; kernels in pixels of the small image."""

    def enlarge(small: Tensor, true: Tensor) -> Tensor:
        size = odd(kernel * true.shape[-1] / small.shape[-1])
        found: Tensor = guided_blur(luma(true), bicubic(small, true), size, epsilon, separable=True)
        return found

    return enlarge


def bilateral(kernel: float, sigma: float) -> Callable[[Tensor, Tensor], Tensor]:
    """kornia's joint bilateral filter, likewise."""

    def enlarge(small: Tensor, true: Tensor) -> Tensor:
        scale = kernel * true.shape[-1] / small.shape[-1]
        space = (scale / 4, scale / 4)
        chroma = bicubic(small, true)
        found: Tensor = joint_bilateral_blur(chroma, luma(true), odd(scale), sigma, space)
        return found

    return enlarge


def odd(size: float) -> int:
    """The nearest odd number of pixels."""
    return 2 * round((size - 1) / 2) + 1


def enlarging_table(resolution: int = 48) -> str:
    """PSNR of true chroma, shrunk and enlarged again, by each method."""
    methods: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"bicubic": bicubic}
    for kernel in (0.5, 1, 2):
        for epsilon in (1e-4, 1e-3):
            title = f"guided filter, kernel {kernel:g}, ε {epsilon:g}"
            methods[title] = guided(kernel, epsilon)
        for sigma in (0.05, 0.1):
            title = f"joint bilateral filter, kernel {kernel:g}, σ {sigma:g}"
            methods[title] = bilateral(kernel, sigma)
    rows: dict[str, list[float]] = {}
    for pixels in PHOTOGRAPHS.values():
        true = tensor_of(pixels)
        width, height = working_size((true.shape[-1], true.shape[-2]), resolution)
        small = F.interpolate(true, (height, width), mode="bicubic", antialias=True).clamp(0, 1)
        for title, enlarge in methods.items():
            rgb = within_rgb(luma(true), enlarge(small, true))
            rows.setdefault(title, []).append(psnr(rgb_to_chroma(rgb), rgb_to_chroma(true)))
        ours = GuidedUpsampling(luma(small), rgb_to_chroma(small), true.shape[:1:-1])
        found = rgb_to_chroma(ours.rgb(luma(true)[0], 0)[None])
        rows.setdefault("GuidedUpsampling", []).append(psnr(found, rgb_to_chroma(true)))
    titles = [f"dB of chroma, from {resolution} pixels", *PHOTOGRAPHS, "mean"]
    cells = [[t, *(f"{v:.2f}" for v in [*row, np.mean(row)])] for t, row in rows.items()]
    return markdown_table(titles, cells)


def picture(name: str, pixels: np.ndarray, colorize: Callable[[Image.Image], Image.Image]) -> None:
    """Gray, coloured and true side by side."""
    image = Image.fromarray(pixels)
    image.thumbnail((420, 420))
    shown = {"gray": image.convert("L"), "cifar10-faithful": colorize(image)}
    if pixels.ndim == 3:
        shown["true"] = image
    font = ImageFont.load_default(size=15)
    gap, line = 6, 24
    width = len(shown) * (image.width + gap) - gap
    whole = Image.new("RGB", (width, image.height + line), "white")
    draw = ImageDraw.Draw(whole)
    for column, (title, one) in enumerate(shown.items()):
        left = column * (image.width + gap)
        whole.paste(one, (left, line))
        draw.text((left + 2, line // 2), title, fill="black", font=font, anchor="lm")
    whole.save(HERE / f"{name}.jpg", quality=88)


def main() -> None:
    """Write everything."""
    colorize = colorizer.load("cifar10-faithful")
    for name, pixels in {**PHOTOGRAPHS, "cameraman": data.camera()}.items():
        picture(name, pixels, colorize)
    (HERE / "enlarging.md").write_text(enlarging_table() + "\n")
    (HERE / "resolution.md").write_text(resolution_table() + "\n")


if __name__ == "__main__":
    main()
