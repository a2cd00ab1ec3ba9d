"""Fréchet distances in the judges' features."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch import Tensor

from colorizer.judge import FrechetDistance, Gaussian
from colorizer.metrics.base import Array, Estimate, Images, JudgedMetric, Sample
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

    def value(self, values: npt.NDArray[np.float32], sample: Sample) -> float:
        """Return the distance, mean of the judges; see `ImageMetric.value`."""
        pairs = self._of_judges(values, sample)
        return float(np.mean([distance(Gaussian.of(own)) for distance, own in pairs]))

    def resampled(self, values: npt.NDArray[np.float32], sample: Sample) -> Array:
        """Return the distance of each resampling, nearly: by what each image adds to it; (R,)."""
        pairs = self._of_judges(values, sample)
        influence = np.mean([distance.influence(own) for distance, own in pairs], axis=0)
        return self.value(values, sample) + sample.weights @ influence / len(values)

    def estimate(self, values: npt.NDArray[np.float32], sample: Sample) -> Estimate:
        """Return the distance and its interval, see `Estimate.normal`, by exact resamplings."""
        pairs = self._of_judges(values, sample)
        resampled = [
            [distance(Gaussian.of(own, one)) for one in sample.weights[:RESAMPLES]]
            for distance, own in pairs
        ]
        return Estimate.normal(self.value(values, sample), np.mean(resampled, axis=0))

    def _of_judges(
        self, values: npt.NDArray[np.float32], sample: Sample
    ) -> Iterator[tuple[FrechetDistance, npt.NDArray[np.float32]]]:
        """The distance and the features of each judge of the family."""
        judges = sample.of_family(self.family)
        ends = np.cumsum([judge.dimensions for judge in judges])[:-1]
        for judge, features in zip(judges, np.split(values, ends, axis=1), strict=True):
            # Of most subsets real images have the same colours.
            yield judge.distances.get(sample.subset, judge.distances["all"]), features


@register
class FDImageNet(FDCifar):
    """The same in a fixed projection of features of ImageNet."""

    name, title, order = "fd_imagenet", "FD-imagenet", 154
    family = "imagenet"
