"""How far the output's luminance is from the input's."""

from torch import Tensor

from colorizer.color import luma
from colorizer.metrics.mean import Mean


class LumaError(Mean):
    """Mean |dY| between output and gray input, in [0, 1]. Lower is better."""

    higher_is_better = False

    def update(self, prediction: Tensor, gray: Tensor) -> None:
        """RGB (B, 3, H, W) and gray (B, 1, H, W), in [0, 1]."""
        self.add((luma(prediction) - gray).abs())
