"""The colorizer that `colorizer.load` gives: it checks what it is called with.

Those that are trained and scored do not, since looking at the values waits for the device.
"""

from typing import Any, overload

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from colorizer.color import luma
from colorizer.colorizer import Colorizer, StochasticColorizer
from colorizer.errors import shown
from colorizer.photographs import WORKING_RESOLUTION, colorize_image
from colorizer.picture_files import MODES
from colorizer.pictures import to_bytes

# Above 1 and below 0, as rounding makes them; they are clamped.
TOLERANCE = 1e-4

Array = npt.NDArray[Any]


class LoadedColorizer(Colorizer):
    """A colorizer that takes tensors, arrays and Pillow's images, and gives back the same kind.

    | gray or colour | RGB |
    | --- | --- |
    | tensor (B, 1, H, W), float in [0, 1] | tensor (B, 3, H, W), float32 in [0, 1] |
    | array (B, 1, H, W), float in [0, 1] | array (B, 3, H, W), float32 in [0, 1] |
    | array (H, W), float in [0, 1] | array (H, W, 3), float32 in [0, 1] |
    | image of 8 bits a channel; of a colour one, its luma | image of mode RGB |

    Tensors and arrays go through the network as they are. So does an image whose shorter side is
    not longer than `working_resolution`; the network sees a larger one shrunk to that, and its
    luminance stays (see `colorize_image` of `colorizer.photographs`).

    Raises:
        ValueError: anything else, such as whole numbers, NaN, or values outside [0, 1].
    """

    working_resolution: int = WORKING_RESOLUTION
    """The shorter side, in pixels, at which the network sees a photograph."""

    @overload
    def __call__(self, images: Tensor) -> Tensor: ...
    @overload
    def __call__(self, images: Array) -> Array: ...
    @overload
    def __call__(self, images: Image.Image) -> Image.Image: ...
    def __call__(self, images: Any) -> Any:
        """Gray images, or colour ones made gray, in colour."""
        if isinstance(images, Image.Image):
            _check_mode(images)
            if min(images.size) > self.working_resolution:
                return _photograph(self, images)
            (rgb,) = to_bytes(self._colorize(_gray_of_image(images)))
            return Image.fromarray(rgb.permute(1, 2, 0).cpu().numpy())
        if isinstance(images, np.ndarray):
            rgb = self._colorize(_gray_of_array(images)).detach().cpu()
            return (rgb[0].permute(1, 2, 0) if images.ndim == 2 else rgb).numpy()
        return self._colorize(images)

    def _colorize(self, images: Any) -> Tensor:
        gray = checked(images)
        if not len(gray):
            return gray.expand(-1, 3, -1, -1)
        device = next((p.device for p in self.parameters()), gray.device)
        rgb: Tensor = super().__call__(gray.to(device))
        return rgb.to(gray.device)


class LoadedStochasticColorizer(LoadedColorizer, StochasticColorizer):
    """One that can give several answers, too."""

    def sample(self, gray: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """Draw several answers for tensors alone; see `StochasticColorizer.sample`."""
        if type(k) is not int:
            raise ValueError(f"k={shown(k)}: a whole number of samples")
        gray = checked(gray)
        if not len(gray):
            return gray.expand(max(k, 1), -1, 3, -1, -1)
        return super().sample(gray, k, generator)


def loaded(colorizer: Colorizer, working_resolution: int = WORKING_RESOLUTION) -> LoadedColorizer:
    """The same colorizer, which checks what it is called with; see `resolution_of`."""
    stochastic = isinstance(colorizer, StochasticColorizer)
    kind = LoadedStochasticColorizer if stochastic else LoadedColorizer
    made = kind(colorizer.network, colorizer.representation)
    made.working_resolution = working_resolution
    return made.train(colorizer.training)


def checked(gray: Any) -> Tensor:
    """Gray images in single precision and in [0, 1]; waits for the device.

    Raises:
        ValueError: they are no tensor (B, 1, H, W) of real numbers in [0, 1].
    """
    if not isinstance(gray, Tensor):
        raise ValueError(
            "gray images are a tensor or an array (B, 1, H, W), an array (H, W), or an image of "
            f"Pillow's, and this is {type(gray).__name__}"
        )
    if gray.ndim != 4 or gray.shape[1] != 1 or 0 in gray.shape[2:]:
        raise ValueError(f"gray images are (B, 1, H, W), and these are {tuple(gray.shape)}")
    if not gray.is_floating_point():
        hint = "; .float() / 255 makes them of bytes" if gray.dtype == torch.uint8 else ""
        raise ValueError(f"gray images are real numbers in [0, 1], not {gray.dtype}{hint}")
    if gray.layout != torch.strided or gray.is_meta:
        raise ValueError("gray images are a dense tensor with values")
    gray = gray.float()
    if len(gray):
        low, high = (float(value) for value in gray.detach().aminmax())
        if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
            raise ValueError(f"gray images are in [0, 1], and these from {low:g} to {high:g}")
    return gray.clamp(0, 1)


def _gray_of_array(images: Array) -> Tensor:
    if images.dtype.kind != "f":
        hint = "; / 255 makes them of bytes" if images.dtype == np.uint8 else ""
        raise ValueError(f"gray images are real numbers in [0, 1], not {images.dtype}{hint}")
    with np.errstate(over="ignore"):  # what is too large for single precision is refused
        gray = torch.from_numpy(np.array(images, dtype=np.float32))
    return gray[None, None] if images.ndim == 2 else gray


def _photograph(colorizer: LoadedColorizer, image: Image.Image) -> Image.Image:
    try:
        return colorize_image(colorizer, image)
    except OSError as error:
        raise ValueError(f"the image cannot be read: {error}") from error


def _check_mode(image: Image.Image) -> None:
    if image.mode not in MODES:
        raise ValueError(f"an image of mode {image.mode}: one of {', '.join(sorted(MODES))}")


def _gray_of_image(image: Image.Image) -> Tensor:
    try:
        pixels = np.asarray(image.convert("RGB"))
    except OSError as error:
        raise ValueError(f"the image cannot be read: {error}") from error
    return luma(torch.tensor(pixels).permute(2, 0, 1)[None].float().div(255))
