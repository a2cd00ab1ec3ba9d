"""Metrics: a file each, and a registry that everything that shows or stores numbers reads."""

from colorizer.metrics.base import (
    Estimate,
    ImageMetric,
    Images,
    JudgedMetric,
    Metric,
    Sample,
    Views,
    per_image,
)
from colorizer.metrics.registry import (
    better,
    image_metrics,
    metrics,
    register,
    validation_metrics,
)
from colorizer.metrics.running import Fidelity, Mean, StepMeans

# Named in results.json; counted up whenever a number would change for the same images.
PROTOCOL = "1"

__all__ = [
    "PROTOCOL",
    "Estimate",
    "Fidelity",
    "ImageMetric",
    "Images",
    "JudgedMetric",
    "Mean",
    "Metric",
    "Sample",
    "StepMeans",
    "Views",
    "better",
    "image_metrics",
    "metrics",
    "per_image",
    "register",
    "validation_metrics",
]
