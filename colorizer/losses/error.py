"""Terms that compare the prediction with the true image, value by value."""

from torch import Tensor
from torch.nn import functional as F

from colorizer.losses.base import Term
from colorizer.ranges import Positive


class MSE(Term):
    """Mean squared error. Its minimum is the mean of the possible colours, hence brownish."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(B, 3, H, W) twice -> scalar."""
        return F.mse_loss(prediction, target)


class L1(Term):
    """Mean absolute error. Its minimum is the median of the possible colours."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(B, 3, H, W) twice -> scalar."""
        return F.l1_loss(prediction, target)


class Huber(Term):
    """Squared error up to `delta`, linear beyond (Huber 1964).

    Args:
        delta: where it becomes linear, in units of RGB in [0, 1].
    """

    def __init__(self, delta: Positive) -> None:
        super().__init__()
        if delta <= 0:
            raise ValueError(f"delta={delta}: above 0")
        self.delta = delta

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(B, 3, H, W) twice -> scalar."""
        return F.huber_loss(prediction, target, delta=self.delta)
