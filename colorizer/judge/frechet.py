"""Fréchet distance between features, as Gaussians (Heusel et al. 2017)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from colorizer.errors import UserError

Array = npt.NDArray[np.float64]

# Of eigenvalues that count, as a share of the largest.
SMALLEST = 1e-9


@dataclass
class Gaussian:
    """Mean (D,) and covariance (D, D) of features."""

    mean: Array
    covariance: Array

    @classmethod
    def of(cls, features: npt.NDArray[np.float32], weights: Array | None = None) -> "Gaussian":
        """Fit a Gaussian to features (N, D) with weights (N,).

        Raises:
            UserError: not more images than dimensions, so that the covariance is not determined.
        """
        count, dimensions = features.shape
        if count <= dimensions:
            raise UserError(
                f"FD-cifar needs more than {dimensions} images, the dimensions of the judge's "
                f"features; there are {count}"
            )
        if weights is None:
            weights = np.ones(count)
        total = weights.sum()
        mean = (weights @ features) / total
        centred = features - mean.astype(np.float32)
        # A matrix product in float32 is twice as fast, and off by 1e-6 of the distances.
        covariance = (centred * weights[:, None].astype(np.float32)).T @ centred
        return cls(mean, covariance.astype(np.float64) / (total - 1))


class FrechetDistance:
    """Squared distance to one Gaussian: |m1 - m2|² + tr(C1 + C2 - 2 sqrt(C1 C2)).

    Args:
        real: what outputs are compared with.
    """

    def __init__(self, real: Gaussian) -> None:
        self.real = real
        values, vectors = np.linalg.eigh(real.covariance)
        self._root = (vectors * np.sqrt(values.clip(0))) @ vectors.T

    def __call__(self, other: Gaussian) -> float:
        """Return the squared distance, at least 0 up to rounding."""
        # tr sqrt(C1 C2) by the eigenvalues of the symmetric sqrt(C1) C2 sqrt(C1).
        values = np.linalg.eigvalsh(self._root @ other.covariance @ self._root)
        offset = np.square(self.real.mean - other.mean).sum()
        spread = np.trace(self.real.covariance) + np.trace(other.covariance)
        return float(offset + spread - 2 * np.sqrt(values.clip(0)).sum())

    def influence(self, features: npt.NDArray[np.float32]) -> Array:
        """Return how the distance changes with the weight of each image, to first order: (N,).

        The infinitesimal jackknife (Efron 1982): the mean over images is 0, and the distance of a
        weighted sample is nearly this one's plus the weighted mean, far from a distance of 0.

        Args:
            features: of the other images, (N, D).
        """
        other = Gaussian.of(features)
        values, vectors = np.linalg.eigh(self._root @ other.covariance @ self._root)
        # Features that never vary have no root to be divided by.
        there = values > SMALLEST * values.max()
        inverse = (vectors[:, there] / np.sqrt(values[there])) @ vectors[:, there].T
        by_covariance = np.eye(len(values)) - self._root @ inverse @ self._root
        centred = features - other.mean
        found = 2 * centred @ (other.mean - self.real.mean)
        found += ((centred @ by_covariance) * centred).sum(1)
        centred_influence: Array = found - found.mean()
        return centred_influence
