"""Metrics of the evaluation protocol, as torchmetrics classes."""

from colorizer.metrics.colorfulness import Colorfulness
from colorizer.metrics.fidelity import BETTER, PROTOCOL, Fidelity
from colorizer.metrics.lab import AuC, ColorAccuracy, DeltaE2000
from colorizer.metrics.luma import LumaError

__all__ = [
    "BETTER",
    "PROTOCOL",
    "AuC",
    "ColorAccuracy",
    "Colorfulness",
    "DeltaE2000",
    "Fidelity",
    "LumaError",
]
