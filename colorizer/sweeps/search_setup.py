"""Writes down what a search is for, and refuses to go on with another in the same folder."""

import contextlib
import fcntl
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from colorizer.config import monitor_mode
from colorizer.errors import UserError
from colorizer.files import read_object, write_json
from colorizer.runs import INCIDENTAL, data_content, flat, job_code, recorded, weights_content
from colorizer.sweeps.contents import SearchContent
from colorizer.sweeps.plan import SEARCH
from colorizer.sweeps.search_settings import distribution
from colorizer.sweeps.search_space import Space

log = logging.getLogger(__name__)


def set_up(folder: Path, space: Space) -> None:
    """Write `search.json`, or check that it is of the same search.

    Raises:
        UserError: the folder holds another search, or a sweep that is none; or Optuna cannot search
            the space.
    """
    content = _content(space)
    path = folder / SEARCH
    if not path.is_file():
        if folder.is_dir() and next(folder.glob("[0-9]*"), None):
            raise UserError(f"{folder} holds a sweep that is no search; study=NAME starts another")
        folder.mkdir(parents=True, exist_ok=True)
    with exclusively(folder):
        if path.is_file():
            _compare(folder, read_object(path, SearchContent), content)
        # Launcher, loggers and where the data is may differ from the last command's.
        write_json(path, content)


@contextlib.contextmanager
def exclusively(folder: Path) -> Iterator[None]:
    """Let one process at a time set up, count and ask, or test."""
    with (folder / ".searching").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _content(space: Space) -> dict[str, Any]:
    """The content of `search.json`.

    Raises:
        UserError: a space that Optuna cannot search.
    """
    for override in space.swept.values():
        distribution(override)
    config = space.sample.config
    settings: Any = OmegaConf.to_container(recorded(config))
    fixed = {k: value for k, value in flat(settings) if k.partition(".")[0] not in INCIDENTAL}
    content, weights = data_content(config), weights_content(recorded(config))
    return {
        "monitor": config.monitor,
        "direction": {"min": "minimize", "max": "maximize"}[monitor_mode(config)],
        "space": {key: str(o.input_line).partition("=")[2] for key, o in space.swept.items()},
        "fixed": {
            **fixed,
            **({} if content is None else {"data content": content}),
            **({"weights content": weights} if weights else {}),
        },
        "overrides": space.fixed,
        "code": job_code(*(recorded(job.config) for job in space.samples)),
    }


def _compare(folder: Path, before: dict[str, Any], content: dict[str, Any]) -> None:
    if before["monitor"] != content["monitor"]:
        raise UserError(
            f"{folder} holds a search for {before['monitor']}, not {content['monitor']}; "
            "study=NAME starts another"
        )
    for what in ("space", "fixed"):
        for key in sorted({*before[what], *content[what]}):
            old, new = (str(c[what].get(key, "(nothing)")) for c in (before, content))
            if old != new:
                raise UserError(
                    f"{folder} holds a search with {key}={old}, not {key}={new}: its trials "
                    "cannot be compared with new ones; study=NAME starts another search"
                )
    if before["code"] != content["code"]:
        log.warning("the trials so far are of another version of the code")
