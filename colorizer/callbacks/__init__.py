"""Lightning callbacks."""

from colorizer.callbacks.checkpoints import Checkpoints
from colorizer.callbacks.cost import Cost
from colorizer.callbacks.examples import ExamplePictures
from colorizer.callbacks.moving_average import MovingAverage
from colorizer.callbacks.non_finite import NonFiniteLoss
from colorizer.callbacks.progress import Progress

__all__ = ["Checkpoints", "Cost", "ExamplePictures", "MovingAverage", "NonFiniteLoss", "Progress"]
