"""Trained colorizers as files: by name those of the package, by path anyone's."""

from colorizer.weights.files import SUFFIX, Weights, names, open_trained, save_weights
from colorizer.weights.start import started

__all__ = ["SUFFIX", "Weights", "names", "open_trained", "save_weights", "started"]
