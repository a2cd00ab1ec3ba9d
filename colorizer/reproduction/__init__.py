"""A run again, from its folder and the repository alone."""

from colorizer.reproduction.checkout import rebuild_code
from colorizer.reproduction.comparison import Comparison
from colorizer.reproduction.environment import Environment, machine_differences
from colorizer.reproduction.folders import Folders
from colorizer.reproduction.training import train_again

__all__ = [
    "Comparison",
    "Environment",
    "Folders",
    "machine_differences",
    "rebuild_code",
    "train_again",
]
