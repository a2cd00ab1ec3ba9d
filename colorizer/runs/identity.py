"""The identity of a job: its settings and the content of its data."""

import hashlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer.config import build, find_target, resolved
from colorizer.data import ColorizationData
from colorizer.data.base import DATA_ROOT
from colorizer.fingerprint import files_fingerprint
from colorizer.runs.layout import BEST

# Keys that do not change what is computed.
INCIDENTAL = ("name", "group", "tags", "study", "retry_failed", "resume", "run_dir", "logger")
# What loads trained weights, such as a guide's.
LOADER = "colorizer.load"
# Callbacks that do not, either.
WATCHING = ("progress", "checkpoint")


def recorded(config: DictConfig) -> DictConfig:
    """The config as it is written down: resolved, without what belongs to this machine.

    `run_dir` becomes `.`, so that a run can be moved. Keys that say where the data lies, by its
    class's `location_keys`, get their defaults or are left out; `root` becomes where any machine
    looks. What ties a trial to its search is left out.
    """
    content: Any = OmegaConf.to_container(resolved(config, "."))
    (content["callbacks"] or {}).pop("pruning", None)
    data = content["data"]
    data_class = find_target(str(data["_target_"]), "data")
    locations = getattr(data_class, "location_keys", ())
    parameters = inspect.signature(data_class).parameters if locations else {}
    defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
    defaults["root"] = DATA_ROOT
    for key in {*locations} & {*data}:
        if key in defaults:
            data[key] = defaults[key]
        else:
            del data[key]
    return OmegaConf.create(content)


def data_content(config: DictConfig) -> str | None:
    """The fingerprint of a config's data, read here; None where its keys determine its content.

    Raises:
        UserError: the data cannot be read.
    """
    data: ColorizationData = build(config.data)
    return data.content_fingerprint()


def weights_content(written: DictConfig) -> dict[str, str]:
    """The fingerprints of files of weights that a config starts from or builds upon, by their keys.

    Weights that come with the package are known by their name.

    Args:
        written: see `recorded`.
    """
    found = {}
    for key, value in flat(OmegaConf.to_container(written)):
        node, _, last = key.rpartition(".")
        loads = last == "which" and OmegaConf.select(written, f"{node}._target_") == LOADER
        if isinstance(value, str) and (key == "start_from" or loads):
            for path in (Path(value), Path(value) / BEST):
                if path.is_file():
                    found[key] = files_fingerprint([path])
    return found


def settings_fingerprint(written: DictConfig, content: str | None = None) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a recorded config.

    Args:
        written: see `recorded`.
        content: see `data_content`.
    """
    settings = identifying(written)
    if weights := weights_content(written):
        settings["weights content"] = weights
    if content is not None:
        settings["data content"] = content
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def identifying(written: DictConfig) -> dict[str, Any]:
    """The part of a recorded config that results depend on."""
    content: Any = OmegaConf.to_container(written)
    settings = {key: value for key, value in content.items() if key not in INCIDENTAL}
    if settings.get("start_from") is None:  # as in configs from before there was the key
        settings.pop("start_from", None)
    if isinstance(settings.get("callbacks"), dict):
        for name in WATCHING:
            settings["callbacks"].pop(name, None)
    return settings


def flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested dicts by dotted path."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from flat(value, f"{prefix}{key}.")
    else:
        yield prefix.rstrip("."), node
