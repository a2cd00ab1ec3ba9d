"""The judge: a classifier of colour images, in whose eyes colours are believable or not."""

from colorizer.judge.network import JudgeNetwork

__all__ = ["JudgeNetwork"]
