"""The judge: a classifier of colour images, in whose eyes colours are believable or not."""

from colorizer.judge.frechet import FrechetDistance, Gaussian
from colorizer.judge.judges import SHIPPED, Judge, load_judges, save_judge
from colorizer.judge.network import JudgeNetwork

__all__ = [
    "SHIPPED",
    "FrechetDistance",
    "Gaussian",
    "Judge",
    "JudgeNetwork",
    "load_judges",
    "save_judge",
]
