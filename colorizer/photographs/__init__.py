"""Photographs of any size: coloured at a network's working resolution, enlarged by luminance."""

from colorizer.photographs.coloring import colorize_image
from colorizer.photographs.resolution import WORKING_RESOLUTION, resolution_of, working_size

__all__ = ["WORKING_RESOLUTION", "colorize_image", "resolution_of", "working_size"]
