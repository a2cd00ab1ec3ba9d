"""How colourful images are."""

from torch import Tensor

from colorizer.metrics.mean import Mean


class Colorfulness(Mean):
    """Hasler and Süsstrunk 2003, on 0..255; mean over images.

    rg = R - G, yb = (R + G)/2 - B; sqrt(var rg + var yb) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2).
    The aim is the real images' colorfulness, not a maximum.
    """

    def values(self, image: Tensor) -> Tensor:  # type: ignore[override]
        """RGB (B, 3, H, W) in [0, 1] -> (B,)."""
        red, green, blue = image.mul(255).flatten(2).unbind(1)
        rg, yb = red - green, (red + green) / 2 - blue
        spread = (rg.var(1, unbiased=False) + yb.var(1, unbiased=False)).sqrt()
        offset = (rg.mean(1).square() + yb.mean(1).square()).sqrt()
        colorfulness: Tensor = spread + 0.3 * offset
        return colorfulness
