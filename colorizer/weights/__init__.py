"""Trained colorizers as files: by name those of the package, by path anyone's."""

from colorizer.weights.files import (
    KIND,
    SUFFIX,
    Weights,
    card_of,
    names,
    open_trained,
    save_weights,
)

__all__ = ["KIND", "SUFFIX", "Weights", "card_of", "names", "open_trained", "save_weights"]
