"""The colorizers of a page: those that come with the package, and more that are named."""

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property

from colorizer.colorizer import Sampling
from colorizer.loaded import LoadedColorizer, loaded
from colorizer.photographs import resolution_of
from colorizer.runs import BEST, Run, unique_names
from colorizer.weights import Weights, open_trained
from colorizer.weights import names as shipped


class Offered:
    """Colorizers by name; those that come with the package are loaded when they are needed.

    Args:
        more: run directories, or files of weights.
        trust: packages, beside this one, whose networks they may ask for.

    Raises:
        UserError: see `open_trained` and `Run.colorizer`.
    """

    def __init__(self, more: Sequence[str] = (), trust: Sequence[str] = ()) -> None:
        runs = [open_trained(which) for which in (*more, *shipped())]
        entries = [
            _Entry(name, run, trust) for name, run in zip(unique_names(runs), runs, strict=True)
        ]
        self._entries = {entry.name: entry for entry in entries}
        for entry in entries[: len(more)]:
            entry.colorizer  # noqa: B018  # what is wrong with it is said at the start

    @property
    def names(self) -> list[str]:
        """In the order of a choice: what was named first."""
        return list(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def colorizer(self, name: str) -> LoadedColorizer:
        """One in evaluation mode, on the CPU."""
        return self._entries[name].colorizer

    def draws(self, name: str) -> bool:
        """Whether it can give several answers."""
        return isinstance(self.colorizer(name), Sampling)

    def fingerprint(self, name: str) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of its weights."""
        return self._entries[name].fingerprint


class _Entry:
    def __init__(self, name: str, run: Run | Weights, trust: Sequence[str]) -> None:
        self.name = name
        self._run = run
        self._trust = trust
        self._lock = threading.Lock()
        self._loaded: LoadedColorizer | None = None

    @property
    def colorizer(self) -> LoadedColorizer:
        with self._lock:
            if self._loaded is None:
                self._loaded = loaded(
                    self._run.colorizer(BEST, self._trust), resolution_of(self._run)
                )
            return self._loaded

    @cached_property
    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in sorted(self.colorizer.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()[:16]
