"""What is told apart, and which group is the best."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from colorizer.statistics import standings


def measured(*groups: list[float]) -> dict[tuple[str, int], float]:
    return {
        (name, seed): value
        for name, values in zip("abcdef", groups, strict=False)
        for seed, value in enumerate(values)
    }


def test_two_groups_make_the_paired_t_test() -> None:
    first, second = [1.0, 2.0, 3.1, 4.0], [1.2, 2.4, 3.2, 4.3]
    found = standings(measured(second, first))
    assert list(found) == ["b", "a"]
    expected = ttest_rel(second, first, alternative="greater").pvalue
    assert found["a"].p == pytest.approx(expected)
    assert found["a"].effect == pytest.approx(0.25)
    assert (found["b"].effect, found["b"].p, found["b"].told_apart) == (0, None, False)
    # With flat priors this one-sided p is the probability that the other is the best.
    assert found["a"].best == pytest.approx(expected, abs=0.005)


def test_seeds_that_are_harder_for_all_are_no_noise() -> None:
    random = np.random.default_rng(0)
    groups = [
        [100 * seed + group + 0.1 * random.normal() for seed in range(4)] for group in range(5)
    ]
    found = standings(measured(*groups))
    assert list(found) == ["a", "b", "c", "d", "e"]
    assert found["a"].best > 0.99
    assert all(found[name].told_apart for name in "bcde")
    assert sum(standing.best for standing in found.values()) == pytest.approx(1)


def test_groups_that_dropped_out_are_compared_by_the_seeds_they_had() -> None:
    """The last seed is a hard one, which those that left before did not meet."""
    values = measured([1.0, 1.1, 9.0, 9.1], [1.2, 1.0, 9.15, 9.05], [4.0, 4.1])
    found = standings(values)
    assert list(found) == ["a", "b", "c"]
    assert found["c"].effect == pytest.approx(3, abs=0.2)
    assert found["c"].told_apart
    assert not found["b"].told_apart


def test_of_many_alike_none_is_told_apart() -> None:
    """Without a correction a false alarm would be likely in every second race."""
    alarms = 0
    for race in range(200):
        random = np.random.default_rng(race)
        found = standings(measured(*random.normal(size=(6, 5)).tolist()))
        alarms += any(standing.told_apart for standing in found.values())
    # The leader is the luckiest of six, so a little more often than in 5 of 100.
    assert alarms / 200 < 0.25


@pytest.mark.parametrize(
    "values",
    [
        {},
        measured([1.0, 2.0, 3.0]),  # nobody to compare with
        measured([1.0], [2.0]),  # nothing says how noisy they are
        {("a", 0): 1.0, ("a", 1): 1.5, ("b", 2): 2.0, ("b", 3): 2.5},  # no seed in common
    ],
)
def test_values_that_say_nothing(values: dict[tuple[str, int], float]) -> None:
    assert standings(values) == {}


def test_groups_without_any_noise() -> None:
    found = standings(measured([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [1.0, 2.0, 3.0]))
    assert found["b"].told_apart
    assert not found["a"].told_apart
    assert not found["c"].told_apart
