"""The network predicts red, green and blue."""

from torch import Tensor

from colorizer.representations.base import Representation


class RGB(Representation):
    """Three channels in [0, 1]; nothing keeps the input's luminance but the loss."""

    channels = 3

    def encode(self, rgb: Tensor) -> Tensor:
        """RGB as it is."""
        return rgb

    def decode(self, gray: Tensor, output: Tensor) -> Tensor:
        """RGB as it is.

        Raises:
            ValueError: it is coarser than the gray image, whose detail it would lose.
        """
        if output.shape[-2:] != gray.shape[-2:]:
            raise ValueError(
                f"representation=rgb needs {gray.shape[-2]}x{gray.shape[-1]} pixels, the network "
                f"gives {output.shape[-2]}x{output.shape[-1]}: representation=ycbcr"
            )
        return output
