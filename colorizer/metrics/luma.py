"""How far the output's luminance is from the input's."""

from torch import Tensor

from colorizer.color import luma
from colorizer.metrics.mean import Mean


class LumaError(Mean):
    """Mean |dY| between output and gray input, in [0, 1]. Lower is better."""

    higher_is_better = False

    def values(self, prediction: Tensor, gray: Tensor) -> Tensor:  # type: ignore[override]
        """RGB (B, 3, H, W) and gray (B, 1, H, W), in [0, 1] -> (B, 1, H, W)."""
        return (luma(prediction) - gray).abs()
