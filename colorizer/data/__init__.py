"""Data sets of colour images, served as gray and colour batches."""

from colorizer.data.base import Batch, ColorizationData, Split, SplitName
from colorizer.data.cifar10 import CIFAR10
from colorizer.data.image_folder import ImageFolder
from colorizer.data.photos import Photos

__all__ = ["CIFAR10", "Batch", "ColorizationData", "ImageFolder", "Photos", "Split", "SplitName"]
