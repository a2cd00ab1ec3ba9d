"""Metrics of the evaluation protocol, as torchmetrics classes."""

from colorizer.metrics.colorfulness import Colorfulness
from colorizer.metrics.fidelity import BETTER, PROTOCOL, Fidelity
from colorizer.metrics.lab import AuC, ColorAccuracy, DeltaE2000
from colorizer.metrics.luma import LumaError
from colorizer.metrics.mean import Average

__all__ = [
    "BETTER",
    "PROTOCOL",
    "AuC",
    "Average",
    "ColorAccuracy",
    "Colorfulness",
    "DeltaE2000",
    "Fidelity",
    "LumaError",
    "better",
]


def better() -> dict[str, str]:
    """The metrics that a run can be chosen by, with `min` or `max`."""
    return dict(BETTER)
