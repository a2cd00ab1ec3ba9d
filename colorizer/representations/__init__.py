"""Colour representations: what a network's raw output means, and how it becomes RGB."""

from colorizer.representations.base import Representation
from colorizer.representations.chroma_bins import ChromaBins
from colorizer.representations.haar_chroma import HaarChroma
from colorizer.representations.rgb import RGB
from colorizer.representations.ycbcr import YCbCr

__all__ = ["RGB", "ChromaBins", "HaarChroma", "Representation", "YCbCr"]
