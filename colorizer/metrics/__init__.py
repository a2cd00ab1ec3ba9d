"""Metrics of the evaluation protocol, as torchmetrics classes."""

from colorizer.metrics.colorfulness import Colorfulness
from colorizer.metrics.fidelity import PROTOCOL, Fidelity
from colorizer.metrics.lab import AuC, ColorAccuracy, DeltaE2000
from colorizer.metrics.luma import LumaError

__all__ = [
    "PROTOCOL",
    "AuC",
    "ColorAccuracy",
    "Colorfulness",
    "DeltaE2000",
    "Fidelity",
    "LumaError",
]
