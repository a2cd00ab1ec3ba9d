"""A photograph in, the same photograph in colour out."""

import torch
from PIL import Image

from colorizer.colorizer import Colorizer, StochasticColorizer
from colorizer.errors import UserError, first_line, shown
from colorizer.photographs.resolution import LEAST, MOST, WORKING_RESOLUTION, working_size
from colorizer.photographs.upsampling import colour


def colorize_image(
    colorizer: Colorizer,
    image: Image.Image,
    *,
    resolution: int | None = None,
    saturation: float = 1.0,
    sample_seed: int | None = None,
) -> Image.Image:
    """A photograph of any size in colour, with its own luminance (Y of Rec. 601).

    The network sees it at the working resolution; its chroma is enlarged as `GuidedUpsampling`
    says. Takes 8 bytes a pixel, whatever the size, beside what the network takes.

    Args:
        colorizer: in evaluation mode.
        image: of 8 bits a channel; of a colour one, its luma. Transparency is left out.
        resolution: of the shorter side, in pixels, at which the network sees it; None: the
            colorizer's own, see `resolution_of`.
        saturation: factor of the chroma; 0 is gray.
        sample_seed: of a draw of a stochastic colorizer; None: its best guess.

    Returns:
        An image of mode RGB and of the same size.

    Raises:
        UserError: a resolution or a saturation out of range, a draw of a colorizer that is not
            stochastic, or a network that takes other sizes.
        OSError, ValueError: the image cannot be read, or is of a mode without a luma.
    """
    own = int(getattr(colorizer, "working_resolution", WORKING_RESOLUTION))
    resolution = own if resolution is None else resolution
    if not LEAST <= resolution <= MOST:
        raise UserError(f"resolution={shown(resolution)}: pixels, from {LEAST} to {MOST}")
    if not 0 <= saturation <= 10:
        raise UserError(f"saturation={shown(saturation)}: from 0, which is gray, to 10")
    gray = image if image.mode == "L" else image.convert("L")
    size = working_size(gray.size, resolution)
    small = gray.resize(size, Image.Resampling.BICUBIC, reducing_gap=4)
    levels = torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8)
    seen = levels.view(1, 1, size[1], size[0]).float().div(255)
    return colour(gray, seen, _colours(colorizer, seen, sample_seed), saturation)


@torch.inference_mode()
def _colours(colorizer: Colorizer, gray: torch.Tensor, seed: int | None) -> torch.Tensor:
    """RGB as the network gives it, on the CPU."""
    device = next((p.device for p in colorizer.parameters()), gray.device)
    try:
        if seed is None:
            rgb: torch.Tensor = colorizer(gray.to(device))
        elif isinstance(colorizer, StochasticColorizer):
            generator = torch.Generator(device).manual_seed(seed)
            (rgb,) = colorizer.sample(gray.to(device), 1, generator)
        else:
            raise UserError("this colorizer has one answer alone: samples need cifar10-vivid@1")
    except (TypeError, ValueError, RuntimeError) as error:
        width, height = gray.shape[-1], gray.shape[-2]
        raise UserError(
            f"the network does not take {width}x{height} pixels: {first_line(error)}"
        ) from error
    return rgb.cpu()
