"""Fréchet distances in the judges' features."""

import numpy as np
import numpy.typing as npt
from torch import Tensor

from colorizer.judge import Gaussian
from colorizer.metrics.base import Estimate, Images, JudgedMetric, Sample
from colorizer.metrics.registry import register

# Resamplings: at 30 ms each only as many as a standard deviation needs.
RESAMPLES = 40


@register
class FDCifar(JudgedMetric):
    """Fréchet distance (Heusel et al. 2017) between outputs and the real training images.

    In the judges' penultimate features, a squared distance; mean of the judges.
    """

    name, title, digits, better, order = "fd_cifar", "FD-cifar", ".2f", "min", 150

    def values(self, images: Images) -> Tensor:
        """Return the judges' features of each output: (B, judges * D)."""
        return self.views(images).features

    def estimate(self, values: npt.NDArray[np.float32], sample: Sample) -> Estimate:
        """Return the distance and its interval, see `Estimate.normal`."""
        judges = sample.of_family(self.family)
        ends = np.cumsum([judge.dimensions for judge in judges])[:-1]
        points, resampled = [], []
        for judge, features in zip(judges, np.split(values, ends, axis=1), strict=True):
            # Of most subsets real images have the same colours.
            distance = judge.distances.get(sample.subset, judge.distances["all"])
            points.append(distance(Gaussian.of(features)))
            resampled.append(
                [distance(Gaussian.of(features, one)) for one in sample.weights[:RESAMPLES]]
            )
        return Estimate.normal(float(np.mean(points)), np.mean(resampled, axis=0))


@register
class FDImageNet(FDCifar):
    """The same in a fixed projection of features of ImageNet."""

    name, title, order = "fd_imagenet", "FD-imagenet", 154
    family = "imagenet"
