"""How two groups of runs differ: paired over images and over seeds, and with how much doubt."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Array = npt.NDArray[np.floating]


@dataclass
class Difference:
    """Mean of the paired differences between two groups, over the seeds that both have.

    Args:
        mean: first minus second.
        low, high: ends of the 95 % confidence interval; None where nothing is known of the doubt.
        pairs: how many seeds.
        p: the probability of as large a difference by chance (two-sided); None as above.
    """

    mean: float
    low: float | None
    high: float | None
    pairs: int
    p: float | None

    @classmethod
    def of(
        cls, pairs: Sequence[tuple[float, float]], resampled: Sequence[Array] = ()
    ) -> "Difference":
        """Make it from values with the same seed.

        The variance over seeds and, where there are resamplings, the variance over images add up;
        the interval is Student's t with as many degrees of freedom as both have together
        (Satterthwaite 1946). A bootstrap over a few seeds would be too sure of itself.

        Args:
            pairs: of values, for each seed; at least one.
            resampled: for each seed, the differences over the same resamplings of the images, (R,);
                none where they are not known.
        """
        count = len(pairs)
        mean = statistics.fmean(a - b for a, b in pairs)
        over_seeds = statistics.variance(a - b for a, b in pairs) / count if count > 1 else 0.0
        over_images = float(np.var(np.mean(resampled, axis=0), ddof=1)) if len(resampled) else 0.0
        if count < 2 and not len(resampled):
            return cls(mean, None, None, count, None)
        variance = over_seeds + over_images
        # Rounding leaves differences that are all the same with a trace of one.
        if variance <= (1e-9 * mean) ** 2:
            return cls(mean, mean, mean, count, float(mean == 0))
        freedom = (count - 1) * (variance / over_seeds) ** 2 if over_seeds else np.inf
        # A hundred times as fast as scipy.stats, which a sweep's thousands of pairs would feel.
        half = float(stdtrit(freedom, 0.975)) * variance**0.5
        p = 2 * float(stdtr(freedom, -abs(mean) / variance**0.5))
        return cls(mean, mean - half, mean + half, count, p)

    @property
    def half(self) -> float | None:
        """Half the width of the interval; None where there is none."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2

    def text(self, digits: str) -> str:
        """`+0.12 ±0.05`: the mean and half the width of the interval."""
        mean = format(self.mean, f"+{digits}")
        return mean if self.half is None else f"{mean} ±{format(self.half, digits)}"


def paired(
    mine: Mapping[int, float],
    theirs: Mapping[int, float],
    my_replicates: Mapping[int, Array],
    their_replicates: Mapping[int, Array],
) -> Difference | None:
    """Compare two groups seed by seed; None without a seed that both have.

    Args:
        mine: seed to value.
        theirs: the same of the other group.
        my_replicates: seed to the values over resamplings of the images, (R,), where known.
        their_replicates: the same of the other group, over the same resamplings.
    """
    seeds = sorted(mine.keys() & theirs.keys())
    if not seeds:
        return None
    known = my_replicates.keys() & their_replicates.keys() >= set(seeds)
    resampled = [my_replicates[s] - their_replicates[s] for s in seeds] if known else []
    return Difference.of([(mine[s], theirs[s]) for s in seeds], resampled)
