"""What watches a training."""

from colorizer.callbacks.examples import ExamplePictures
from colorizer.callbacks.non_finite import NonFiniteLoss
from colorizer.callbacks.progress import Progress

__all__ = ["ExamplePictures", "NonFiniteLoss", "Progress"]
