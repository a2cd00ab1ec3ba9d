"""Writes down what a search is for, and refuses to go on with another in the same folder."""

import contextlib
import fcntl
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer.config import monitor_mode, validation_metrics
from colorizer.errors import UserError, nearest, shown
from colorizer.files import read_object, write_json
from colorizer.runs import INCIDENTAL, data_content, flat, job_code, recorded, weights_content
from colorizer.runs.costs import PREFIX
from colorizer.sweeps.contents import SearchContent
from colorizer.sweeps.plan import SEARCH
from colorizer.sweeps.search_settings import Direction, SearchSettings, distribution
from colorizer.sweeps.search_space import Space

log = logging.getLogger(__name__)


# Results beside the metrics that a search can have as objectives: the less, the better.
COSTS = (
    "parameters",
    "train/seconds",
    *(PREFIX + name for name in ("cpu_seconds", "gpu_seconds", "memory_bytes", "gpu_memory_bytes")),
)


def set_up(folder: Path, space: Space, settings: SearchSettings) -> None:
    """Write `search.json`, or check that it is of the same search.

    Raises:
        UserError: the folder holds another search, or a sweep that is none; or Optuna cannot search
            the space, or the objectives.
    """
    content = _content(space, settings)
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


def _content(space: Space, settings: SearchSettings) -> dict[str, Any]:
    """The content of `search.json`.

    Raises:
        UserError: a space that Optuna cannot search.
    """
    for override in space.swept.values():
        distribution(override)
    if settings.seeds > 1 and "seed" in space.swept:
        raise UserError("hydra.sweeper.seeds races trials over seeds: seed has one value then")
    config = space.sample.config
    written: Any = OmegaConf.to_container(recorded(config))
    fixed = {k: value for k, value in flat(written) if k.partition(".")[0] not in INCIDENTAL}
    objectives = _objectives(config, settings.objectives)
    content, weights = data_content(config), weights_content(recorded(config))
    return {
        "monitor": next(iter(objectives)),
        "direction": next(iter(objectives.values())),
        **({"objectives": objectives} if len(objectives) > 1 else {}),
        "space": {key: str(o.input_line).partition("=")[2] for key, o in space.swept.items()},
        "fixed": {
            **fixed,
            **({} if content is None else {"data content": content}),
            **({"weights content": weights} if weights else {}),
        },
        "overrides": space.fixed,
        "code": job_code(*(recorded(job.config) for job in space.samples)),
    }


def _objectives(config: DictConfig, names: Sequence[str] | None) -> dict[str, Direction]:
    """What is searched for, and which way it is better.

    Raises:
        UserError: a name that is neither a validation metric nor a cost.
    """
    modes: dict[str, Direction] = {"min": "minimize", "max": "maximize"}
    if names is None:
        return {str(config.monitor): modes[monitor_mode(config)]}
    known = {**dict.fromkeys(COSTS, "min"), **validation_metrics(config)}
    for name in names:
        if name not in known:
            raise UserError(
                f"hydra.sweeper.objectives: {shown(name)} is no validation metric and no cost "
                f"({', '.join(COSTS)}).{nearest(str(name), known)}"
            )
    return {name: modes[known[name]] for name in names}


def _compare(folder: Path, before: dict[str, Any], content: dict[str, Any]) -> None:
    old, new = (" and ".join(c.get("objectives") or [c["monitor"]]) for c in (before, content))
    if old != new:
        raise UserError(f"{folder} holds a search for {old}, not {new}; study=NAME starts another")
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
