"""Fooling rates: how often people took a coloured image for the real one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from colorizer.console import markdown_table, text_table
from colorizer.serve.two_afc import Answer

# Of a session's checks, the least part to get right; who guesses passes 4 with a chance of 31 %.
ENOUGH_CHECKS = 0.75

CONFIDENCE = 0.95

# Resamplings of the sessions (Efron and Tibshirani 1993).
RESAMPLES = 1000

Interval = tuple[float, float]

TITLES = (
    *("colorizer", "sessions", "pairs", "fooled %", "Wilson 95 %", "over sessions"),
    "checks right",
)


@dataclass
class Rate:
    """What the sessions with one colorizer say.

    Args:
        colorizer: the name.
        fooled: in each session, how often the coloured image was chosen.
        pairs: in each session, of how many that count.
        checks: how many checks were right, and of how many.
    """

    colorizer: str
    fooled: list[int]
    pairs: list[int]
    checks: tuple[int, int]

    @property
    def percent(self) -> float:
        """The fooling rate; 50 is ideal."""
        return 100 * sum(self.fooled) / sum(self.pairs)

    @property
    def wilson(self) -> Interval:
        """The 95 % interval of independent answers, in percent (Wilson 1927)."""
        test = binomtest(sum(self.fooled), sum(self.pairs))
        found = test.proportion_ci(CONFIDENCE, method="wilson")
        return 100 * float(found.low), 100 * float(found.high)

    @property
    def bootstrap(self) -> Interval | None:
        """The 95 % interval over sessions, in percent; None for a single one.

        It is the wider one where people differ, since the answers of one person are alike.
        """
        count = len(self.pairs)
        if count < 2:
            return None
        drawn = np.random.default_rng(0).integers(0, count, (RESAMPLES, count))
        rates = np.array(self.fooled)[drawn].sum(1) / np.array(self.pairs)[drawn].sum(1)
        tail = 100 * (1 - CONFIDENCE) / 2
        low, high = np.percentile(100 * rates, [tail, 100 - tail])
        return float(low), float(high)


@dataclass
class Fooling:
    """The rates of a file of answers, and how many sessions are not among them.

    Args:
        rates: one for each colorizer, the highest first.
        unfinished: sessions that are not at their end.
        inattentive: finished ones with fewer than 3 in 4 checks right.
    """

    rates: list[Rate]
    unfinished: int
    inattentive: int

    @classmethod
    def of(cls, answers: Iterable[Answer]) -> "Fooling":
        """Count the answers of complete sessions in which enough checks are right."""
        sessions: dict[str, list[Answer]] = {}
        for answer in answers:
            sessions.setdefault(answer["session"], []).append(answer)
        finished = [s for s in sessions.values() if _is_complete(s)]
        attentive = [session for session in finished if _right_checks(session) >= ENOUGH_CHECKS]
        rates = [_rate(name, of_name) for name, of_name in _by_colorizer(attentive).items()]
        return cls(
            sorted(rates, key=lambda rate: -rate.percent),
            len(sessions) - len(finished),
            len(finished) - len(attentive),
        )

    def table(self) -> str:
        """A row for each colorizer, for a terminal."""
        return text_table(TITLES, self._rows())

    def markdown(self) -> str:
        """The same as Markdown."""
        return markdown_table(TITLES, self._rows())

    def _rows(self) -> list[tuple[object, ...]]:
        return [
            (
                rate.colorizer,
                len(rate.pairs),
                sum(rate.pairs),
                f"{rate.percent:.1f}",
                _shown(rate.wilson),
                _shown(rate.bootstrap),
                f"{rate.checks[0]}/{rate.checks[1]}",
            )
            for rate in self.rates
        ]

    def notes(self) -> list[str]:
        """What a reader has to know about the table."""
        left_out = {
            "unfinished": self.unfinished,
            "with fewer than 3 in 4 checks right": self.inattentive,
        }
        return [f"left out: {n} session{'s' * (n > 1)} {why}" for why, n in left_out.items() if n]


def _is_complete(session: Sequence[Answer]) -> bool:
    return {a["trial"] for a in session} == set(range(session[0]["trials"]))


def _right_checks(session: Sequence[Answer]) -> float:
    """The part of the checks that are right."""
    right, of = _checks(session)
    return right / of if of else 1.0


def _checks(session: Iterable[Answer]) -> tuple[int, int]:
    checks = [a["chosen"] == a["real"] for a in session if a["kind"] == "check"]
    return sum(checks), len(checks)


def _by_colorizer(sessions: Sequence[list[Answer]]) -> dict[str, list[list[Answer]]]:
    """The sessions by the colorizer's name, with its weights where one name had several."""
    weights: dict[str, set[str]] = {}
    for session in sessions:
        weights.setdefault(session[0]["colorizer"], set()).add(session[0]["weights"])
    found: dict[str, list[list[Answer]]] = {}
    for session in sessions:
        name, own = session[0]["colorizer"], session[0]["weights"]
        title = name if len(weights[name]) == 1 else f"{name} ({own})"
        found.setdefault(title, []).append(session)
    return found


def _rate(name: str, sessions: Sequence[Sequence[Answer]]) -> Rate:
    counting = [[a for a in session if a["kind"] == "pair"] for session in sessions]
    fooled = [sum(a["chosen"] != a["real"] for a in pairs) for pairs in counting]
    checks = _checks(answer for session in sessions for answer in session)
    return Rate(name, fooled, [len(pairs) for pairs in counting], checks)


def _shown(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval[0]:.1f} to {interval[1]:.1f}"
