"""An experiment framework for automatic image colorization."""
