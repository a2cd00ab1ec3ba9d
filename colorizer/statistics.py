"""Deciding what is told apart: Holm's correction, and groups that are compared seed by seed."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.stats import t as student

# What is less probable by chance is told apart.
SIGNIFICANT = 0.05

# Of the posterior, to count how often each group is the best.
DRAWS = 20_000

# Of values, relative: less is no difference.
ROUNDING = 1e-9

Name = TypeVar("Name", bound=Hashable)


def holm(probabilities: Sequence[float]) -> list[float]:
    """Adjust probabilities for how many there are (Holm 1979)."""
    order = np.argsort(probabilities, kind="stable")
    adjusted = [0.0] * len(probabilities)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * probabilities[index]))
        adjusted[index] = largest
    return adjusted


@dataclass(frozen=True)
class Standing:
    """Where a group stands among others that were measured with the same seeds.

    Args:
        effect: its value, the seeds' own effects taken out, minus the best group's.
        p: how probable its distance from the best is if it were none (one-sided, adjusted by
            `holm`); None for the best.
        best: the probability that it is the best.
    """

    effect: float
    p: float | None
    best: float

    @property
    def told_apart(self) -> bool:
        """True if it is worse than the best, and not by chance."""
        return self.p is not None and self.p < SIGNIFICANT


def standings(values: Mapping[tuple[Name, int], float]) -> dict[Name, Standing]:
    """Compare groups over seeds, the least first.

    A value is the sum of an effect of its group, one of its seed and a normal error, by least
    squares (randomized complete blocks, Fisher 1935; some values may be missing). With flat priors
    the groups' effects have a multivariate t distribution, and the probability of being the best is
    how often a group is the least in draws of it. Two groups make it the paired t test.

    Args:
        values: of (group, seed).

    Returns:
        By group, the best first; empty where the values say nothing of the error.
    """
    names = list(dict.fromkeys(name for name, _ in values))
    seeds = sorted({seed for _, seed in values})
    if len(names) < 2:
        return {}
    design = np.zeros((len(values), len(names) + len(seeds) - 1))
    for row, (name, seed) in enumerate(values):
        design[row, names.index(name)] = 1
        if seed != seeds[0]:
            design[row, len(names) + seeds.index(seed) - 1] = 1
    free = len(values) - design.shape[1]
    if free < 1 or np.linalg.matrix_rank(design) < design.shape[1]:
        return {}
    measured = np.array(list(values.values()))
    solution, *_ = np.linalg.lstsq(design, measured, rcond=None)
    variance = float(np.square(measured - design @ solution).sum()) / free
    if variance < (ROUNDING * np.abs(measured).max()) ** 2:
        variance = 0.0
    effects = solution[: len(names)]
    effects = np.where(np.isclose(effects, effects.min(), ROUNDING, 0), effects.min(), effects)
    covariance = np.linalg.inv(design.T @ design)[: len(names), : len(names)]
    first = int(effects.argmin())
    chances = _chances(effects, covariance, variance, free)
    order = [int(i) for i in effects.argsort(kind="stable") if i != first]
    p = []
    for i in order:
        spread = covariance[i, i] + covariance[first, first] - 2 * covariance[i, first]
        error = float(np.sqrt(variance * spread))
        apart = float(effects[i] - effects[first])
        p.append(float(student.sf(apart / error, free)) if error else float(apart == 0))
    adjusted = dict(zip(order, holm(p), strict=True))
    return {
        names[i]: Standing(float(effects[i] - effects[first]), adjusted.get(i), float(chances[i]))
        for i in (first, *order)
    }


def _chances(effects: np.ndarray, covariance: np.ndarray, variance: float, free: int) -> np.ndarray:
    """How often each effect is the least in draws of their posterior."""
    random = np.random.default_rng(0)
    normal = random.multivariate_normal(np.zeros(len(effects)), covariance, DRAWS, method="eigh")
    scale = np.sqrt(variance * free / random.chisquare(free, DRAWS))
    drawn = effects + scale[:, None] * normal
    least = drawn == drawn.min(axis=1, keepdims=True)
    return (least / least.sum(axis=1, keepdims=True)).mean(axis=0)
