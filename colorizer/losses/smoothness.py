"""Terms of the prediction alone that are lower for smooth images."""

from kornia.losses import total_variation
from torch import Tensor

from colorizer.color import rgb_to_chroma
from colorizer.losses.base import Term


class TotalVariation(Term):
    """Anisotropic total variation of RGB: mean |vertical| plus mean |horizontal| difference.

    After Rudin, Osher, Fatemi 1992. It smooths luminance too, and so costs structure.
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(B, 3, H, W) twice -> scalar; the target is not used."""
        variation: Tensor = total_variation(prediction, reduction="mean")
        return variation.mean()


class ChromaTotalVariation(Term):
    """Total variation of Cb and Cr only, which leaves the structure alone."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(B, 3, H, W) twice -> scalar; the target is not used."""
        variation: Tensor = total_variation(rgb_to_chroma(prediction), reduction="mean")
        return variation.mean()
