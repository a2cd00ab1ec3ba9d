"""Lightning callbacks."""

from colorizer.callbacks.examples import ExamplePictures
from colorizer.callbacks.moving_average import MovingAverage
from colorizer.callbacks.non_finite import NonFiniteLoss
from colorizer.callbacks.progress import Progress

__all__ = ["ExamplePictures", "MovingAverage", "NonFiniteLoss", "Progress"]
