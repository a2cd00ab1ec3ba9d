"""Fit how the squared error falls with the number of training images, and where it would end.

    python experiments/ceiling/fit.py experiments/ceiling/runs

error(N) = floor + a N^-b: the floor from a grid, the other two by least squares of the logarithm;
once for the official test images, and once for each of 1,000 resamplings of them, which all runs
share, with the seeds' spread added.
"""

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorizer.console import say
from colorizer.metrics.psnr import PSNR
from colorizer.runs import open_run

Array = NDArray[np.floating[Any]]

# Floors that are tried, as shares of the least error.
SHARES = np.linspace(0, 0.99, 100)


def fit(images: Array, errors: Array) -> tuple[float, float, float]:
    """Floor, a and b of the least squares, for numbers of images and their errors, both (N,)."""
    found = []
    for floor in SHARES * errors.min():
        (slope, start), misfit, *_ = np.polyfit(
            np.log(images), np.log(errors - floor), 1, full=True
        )
        # What is left over is relative to what is above the floor: weigh it as of the whole.
        weight = np.mean((errors - floor) / errors) ** 2
        found.append((float(misfit.sum() * weight), float(floor), math.exp(start), -float(slope)))
    _, *best = min(found)
    return best[0], best[1], best[2]


def psnr(error: float) -> float:
    """Decibels of a squared error of colours in [0, 1]."""
    return float(PSNR().of_mean(np.array(error)))


def main(folder: str) -> None:
    """Print the table, the fit and its interval."""
    found: dict[int, list[tuple[float, Array]]] = {}
    for run in map(open_run, sorted(Path(folder).iterdir())):
        images = run.config.data.train_images or 45_000
        found.setdefault(images, []).append((run.results["test/mse"], run.replicates["mse"]))
    sizes = np.array(sorted(found), dtype=float)
    mean = np.array([np.mean([value for value, _ in found[int(n)]]) for n in sizes])
    resampled = np.array([np.mean([r for _, r in found[int(n)]], axis=0) for n in sizes])
    spread = np.std([value for value, _ in found[int(sizes[-1])]], ddof=1) / mean[-1]
    for n, error in zip(sizes, mean, strict=True):
        say(f"{n:8,.0f} images, {len(found[int(n)])} seeds: {psnr(error):.3f} dB")
    random = np.random.default_rng(0)
    fits = [(fit(sizes, mean), mean[-1])]
    for errors in resampled.T:
        noise = [random.normal(0, spread / math.sqrt(len(found[int(n)]))) for n in sizes]
        noisy = errors * (1 + np.array(noise))
        fits.append((fit(sizes, noisy), noisy[-1]))

    def show(name: str, values: list[float]) -> None:
        low, high = np.quantile(values[1:], [0.025, 0.975], method="inverted_cdf")
        say(f"{name}: {values[0]:.2f} (95 %: {low:.2f} to {high:.2f})")

    show("PSNR at the floor, in dB", [psnr(f) for (f, _, _), _ in fits])
    say(f"without any floor in {np.mean([f == 0 for (f, _, _), _ in fits[1:]]):.0%} of resamplings")
    for times in (2, 10, 100):
        gains = [psnr(f + a * (times * sizes[-1]) ** -b) - psnr(e) for (f, a, b), e in fits]
        show(f"gain with {times} times the images, in dB", gains)


if __name__ == "__main__":
    main(*sys.argv[1:])
