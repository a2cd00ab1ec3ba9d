"""The network predicts two chroma channels; the gray input is the luminance."""

from torch import Tensor

from colorizer.color import chroma_to_rgb, rgb_to_chroma
from colorizer.representations.base import Representation, enlarged


class YCbCr(Representation):
    """Cb and Cr in [-0.5, 0.5] (ITU-R BT.601); luminance is kept exactly, up to clipping."""

    channels = 2

    def encode(self, rgb: Tensor) -> Tensor:
        """Cb and Cr of RGB."""
        return rgb_to_chroma(rgb)

    def decode(self, gray: Tensor, output: Tensor) -> Tensor:
        """RGB of the gray input and the predicted chroma."""
        return chroma_to_rgb(gray, enlarged(output, gray))
