"""What watches a training."""

from colorizer.callbacks.examples import ExamplePictures
from colorizer.callbacks.non_finite import NonFiniteLoss
from colorizer.callbacks.progress import Progress
from colorizer.callbacks.pruning import Pruning

__all__ = ["ExamplePictures", "NonFiniteLoss", "Progress", "Pruning"]
