"""Terms that compare the structure of the prediction and the true image."""

from typing import Annotated

from kornia.filters import spatial_gradient
from kornia.losses import ssim_loss
from torch import Tensor
from torch.nn import functional as F

from colorizer.losses.base import Term
from colorizer.ranges import Range


class SSIM(Term):
    """(1 - SSIM) / 2 of RGB, in [0, 1]. Source: Wang et al. 2004; kornia's `ssim_loss`.

    Args:
        window_size: taps of the Gaussian window (sigma 1.5), odd.
    """

    def __init__(self, window_size: Annotated[int, Range(1, 1023)]) -> None:
        super().__init__()
        if window_size < 1 or window_size % 2 == 0:
            raise ValueError(f"window_size={window_size}: odd and at least 1")
        self.window_size = window_size

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(B, 3, H, W) twice -> scalar; H and W above window_size // 2."""
        # eps=0: kornia's default guards a division that Wang's constants already guard.
        loss: Tensor = ssim_loss(prediction, target, self.window_size, eps=0.0)
        return loss


class GradientL1(Term):
    """Mean absolute difference of the horizontal and vertical image gradients.

    Gradients are central differences, (next - previous) / 2; border pixels, which have only one
    neighbour, are left out.
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(B, 3, H, W) twice -> scalar; H and W at least 3."""
        gradients = (
            spatial_gradient(image, mode="diff")[..., 1:-1, 1:-1] for image in (prediction, target)
        )
        return F.l1_loss(*gradients)
