"""Trackers that may fail, by a network or a server, without harm to a training."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from lightning_fabric.loggers.logger import _DummyExperiment

from colorizer import signals
from colorizer.console import last_line

log = logging.getLogger(__name__)


class Harmless:
    """A logger whose failures end no training: they are said once, and it is left out."""

    tracker: ClassVar[str]
    """Its name in messages."""
    failed = False

    def give_way(self, error: Exception) -> None:
        """Say what failed, once, and go on without the logger.

        Raises:
            colorizer.signals.Stopped: the error is a signal's.
        """
        if stopped := signals.behind(error):
            raise stopped from error
        if self.failed:
            return
        how = self.second_try()
        self.failed = how is None
        reason = last_line(error)
        log.warning(f"{self.tracker} failed ({reason}); the training goes on {how or 'without it'}")
        if self.failed:
            self.let_go()

    def second_try(self) -> str | None:
        """Change what may help, and say what; None where nothing does."""
        return None

    def let_go(self) -> None:
        """Forget what has failed."""


def harmless(method: Callable[..., Any], instead: Callable[[], Any] | None = None) -> Any:
    """Let a method of a `Harmless` logger fail without harm to the training.

    Args:
        method: of the logger.
        instead: makes what it gives back where the logger is left out; None: it is None.
    """

    @wraps(method)
    def attempt(self: Harmless, *args: Any, **kwargs: Any) -> Any:
        while not self.failed:
            try:
                return method(self, *args, **kwargs)
            except Exception as error:
                self.give_way(error)
        return instead() if instead else None

    return attempt


def harmless_experiment(experiment: Callable[[Any], Any]) -> Any:
    """The tracker's own object; what takes every call and does nothing, where there is none."""
    return harmless(experiment, _DummyExperiment)
