"""Terms that look at the prediction alone and want it smooth."""

from kornia.losses import total_variation
from torch import Tensor

from colorizer.color import rgb_to_chroma
from colorizer.losses.base import Term


class TotalVariation(Term):
    """Anisotropic total variation of RGB: mean |vertical| plus mean |horizontal| difference.

    After Rudin, Osher, Fatemi 1992. It smooths luminance too: the structure pays for it.
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(B, 3, H, W) twice -> scalar; the target is not looked at."""
        variation: Tensor = total_variation(prediction, reduction="mean")
        return variation.mean()


class ChromaTotalVariation(Term):
    """Total variation of Cb and Cr only, which leaves the structure alone."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(B, 3, H, W) twice -> scalar; the target is not looked at."""
        variation: Tensor = total_variation(rgb_to_chroma(prediction), reduction="mean")
        return variation.mean()
