"""Loss terms and their weighted sum. Every term is a mean over elements."""

from colorizer.losses.base import Term, WeightedSum
from colorizer.losses.error import L1, MSE, Huber
from colorizer.losses.smoothness import ChromaTotalVariation, TotalVariation
from colorizer.losses.structure import SSIM, GradientL1

__all__ = [
    "L1",
    "MSE",
    "SSIM",
    "ChromaTotalVariation",
    "GradientL1",
    "Huber",
    "Term",
    "TotalVariation",
    "WeightedSum",
]
