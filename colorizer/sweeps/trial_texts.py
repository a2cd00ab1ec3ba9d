"""Trials' parameters as overrides and as text."""

from collections.abc import Mapping
from typing import Any


def assignments(params: Mapping[str, Any]) -> list[str]:
    """The overrides of a trial's parameters."""
    # repr keeps every digit, so that the command of the best trial repeats it.
    return [f"{key}={_exact(value)}" for key, value in params.items()]


def _exact(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def value_text(value: Any) -> str:
    """A value of a parameter, to four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def short_text(key: str, value: Any) -> str:
    """A parameter and its value, for a run's name."""
    last = key.rpartition(".")[2]
    return value_text(value) if key == "model" else f"{last}={value_text(value)}"
