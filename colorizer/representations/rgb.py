"""The network predicts red, green and blue."""

from torch import Tensor

from colorizer.representations.base import Representation, enlarged


class RGB(Representation):
    """Three channels in [0, 1]; nothing keeps the input's luminance but the loss."""

    channels = 3

    def encode(self, rgb: Tensor) -> Tensor:
        """RGB as it is."""
        return rgb

    def decode(self, gray: Tensor, output: Tensor) -> Tensor:
        """RGB as it is."""
        return enlarged(output, gray)
