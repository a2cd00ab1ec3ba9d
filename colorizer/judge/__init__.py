"""Judges: classifiers of colour images, in whose eyes colours are believable or not."""

from colorizer.judge.frechet import FrechetDistance, Gaussian
from colorizer.judge.imagenet import ImageNetNetwork
from colorizer.judge.judges import SHIPPED, Family, Judge, load_judges, save_judge
from colorizer.judge.network import JudgeNetwork

__all__ = [
    "SHIPPED",
    "Family",
    "FrechetDistance",
    "Gaussian",
    "ImageNetNetwork",
    "Judge",
    "JudgeNetwork",
    "load_judges",
    "save_judge",
]
