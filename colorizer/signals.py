"""SIGINT and SIGTERM end a training in order, also where a library swallows the first exception.

File systems behind Lightning's checkpoints have a bare `except:`, in which a KeyboardInterrupt is
lost; so the signal is remembered, and raised again at the next step.
"""

import signal
import threading
from typing import Any

import pytorch_lightning as pl

_received = threading.Event()


def install() -> None:
    """Make SIGINT and SIGTERM raise KeyboardInterrupt; forget signals that came before."""
    _received.clear()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            # A shell that runs a command in the background has SIGINT ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _interrupt)


def reinstall() -> None:
    """Install the handlers again after Lightning has switched SIGINT off."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    install()


def _interrupt(*_: Any) -> None:
    _received.set()
    raise KeyboardInterrupt


class StopWhenInterrupted(pl.Callback):
    """Raises a KeyboardInterrupt that was lost."""

    def on_train_batch_end(self, *_: Any) -> None:
        """Look; an attribute, so no step waits."""
        if _received.is_set():
            raise KeyboardInterrupt
