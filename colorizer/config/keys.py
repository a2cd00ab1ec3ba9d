"""Keys that nothing reads.

Hydra composes a misspelt key in a YAML file in silence. Here every key of the composed config must
be read by something: it is in `conf/train.yaml`, or a parameter of the `_target_` above it.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from colorizer.config.overrides import cited, parsed
from colorizer.config.schema import GIVEN
from colorizer.config.signatures import parameters
from colorizer.errors import UserError, nearest, shown
from colorizer.paths import config_folder, groups

CONFIG_NAME = "train"

# What Hydra itself reads below a target.
HYDRA_KEYS = frozenset({"_target_", "_partial_", "_recursive_", "_convert_", "_args_"})

# Groups without which there is nothing to train.
NEEDED = ("data", "optimizer", "scheduler", "task", "trainer")

# What is null for a task that does not take it; the argument of the task that each is part of.
PARTS = {"model": "colorizer", "representation": "colorizer", "loss": "loss"}

# Below these, plugins and the logging library have keys of their own.
OPEN_HYDRA_KEYS = tuple(
    f"hydra.{name}" for name in ("launcher", "sweeper", "hydra_logging", "job_logging", "env")
)


def check_keys(config: DictConfig, overrides: Sequence[str]) -> None:
    """Check that something reads every key of a composed config.

    Raises:
        UserError: nothing does; or a group is missing, or the task does not take it.
    """
    if not isinstance(config.hydra, DictConfig):
        raise UserError(f"hydra={shown(config.hydra)}: keys with values")
    _check_groups(config)
    for path, known in _unknown_keys(config):
        parent, _, key = path.rpartition(".")
        under = f" under {parent!r}" if parent else ""
        unread = f"nothing reads the key {shown(repr(key), most=100)}{under}."
        raise UserError(f"{_origin(path, overrides)}: {unread}{nearest(key, known)}")


def _check_groups(config: DictConfig) -> None:
    for key in NEEDED:
        _check_group(config, key, needed=True)
    taken = parameters(str(config.task._target_), "task") or PARTS.values()
    for key, argument in PARTS.items():
        _check_group(config, key, needed=argument in taken)


def _check_group(config: DictConfig, key: str, needed: bool) -> None:
    there = isinstance(config.get(key), DictConfig) and bool(config[key])
    if needed and not there:
        raise UserError(f"{key} is missing: there has to be one of {', '.join(options_of(key))}")
    if there and not needed:
        raise UserError(
            f"{config.task._target_} takes no {key}: an experiment file can drop it with "
            f"'override /{key}: null'"
        )


def _unknown_keys(config: DictConfig) -> Iterator[tuple[str, list[str]]]:
    """Dotted paths that nothing reads, each with the keys that there are in its place."""
    top_level = _top_level()
    hydra_keys = hydra_key_names()
    for key in dotted(config.hydra, "hydra.", depth=2):
        if key not in hydra_keys and key.rpartition(".")[0] not in OPEN_HYDRA_KEYS:
            yield key, [name.rpartition(".")[2] for name in hydra_keys]
    for key in map(str, config):
        if key == "hydra":
            continue
        if key not in top_level:
            yield key, top_level
        node = config._get_node(key)
        if isinstance(node, DictConfig) and not node._is_none():
            if "_target_" not in node and key in groups():
                # A group of named entries, each with a target of its own.
                entries = [name for name in map(str, node) if has_target(node._get_node(name))]
                for name in map(str, node):
                    if name not in entries and isinstance(node[name], DictConfig):
                        yield f"{key}.{name}", entries
            yield from _unknown_below(node, key)


@cache
def _top_level() -> list[str]:
    """Groups, and what conf/train.yaml itself holds."""
    own = OmegaConf.load(config_folder() / f"{CONFIG_NAME}.yaml")
    names = {*groups(), *map(str, own)} - {"defaults", "hydra", "experiment", "debug"}
    return sorted(names)


def _unknown_below(node: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    if not isinstance(node, DictConfig) or node._is_none() or node._is_missing():
        return
    if "_target_" in node:
        known = settable(path, str(node._target_))
        if known is not None:
            for key in map(str, node):
                if key not in known and key not in HYDRA_KEYS:
                    yield f"{path}.{key}", known
    for key in map(str, node):
        child = node._get_node(key)
        if not (isinstance(child, DictConfig) and child._is_interpolation()):
            yield from _unknown_below(child, f"{path}.{key}")


def settable(path: str, target: str) -> list[str] | None:
    """The keys below a target; None where it takes any.

    Raises:
        UserError: there is no such target.
    """
    known = parameters(target, path)
    return None if known is None else [k for k in known if k not in GIVEN.get(path, ())]


def has_target(node: Any) -> bool:
    """True if a node describes something to instantiate."""
    return isinstance(node, DictConfig) and not node._is_none() and "_target_" in node


def _origin(path: str, overrides: Sequence[str]) -> str:
    """The override or the file that a key of the composed config came from."""
    for override in parsed(overrides):
        key = override.get_key_element().lstrip("+~")
        if key == path or key.startswith(f"{path}."):
            return cited(override.input_line)
    loader = GlobalHydra.instance().config_loader()
    defaults = loader.compute_defaults_list(CONFIG_NAME, list(overrides), RunMode.RUN)
    # Only this repository knows of the folders that --config-dir added.
    _, repository = loader._parse_overrides_and_create_caching_repo(  # type: ignore[attr-defined]
        CONFIG_NAME, list(overrides)
    )
    for default in reversed(defaults.defaults):
        loaded = repository.load_config(default.config_path)
        if loaded is None:
            continue
        package = default.package or ""
        relative = path.removeprefix(f"{package}.") if package else path
        inside = not package or path.startswith(f"{package}.")
        if inside and _has_path(loaded.config, relative.split(".")):
            return f"{default.config_path}.yaml"
    return "config"


def _has_path(node: Any, keys: Sequence[str]) -> bool:
    for key in keys:
        if not isinstance(node, DictConfig) or key not in node:
            return False
        node = node._get_node(key)
    return True


def options_of(group: str) -> list[str]:
    """The files of a config group, those of --config-dir included."""
    repository = GlobalHydra.instance().config_loader().repository  # type: ignore[attr-defined]
    options: list[str] = repository.get_group_options(group)
    return options


def dotted(config: DictConfig, prefix: str = "", depth: int = 9) -> Iterator[str]:
    """The dotted paths of a config's keys, down to a depth."""
    for key in map(str, config):
        yield f"{prefix}{key}"
        child = config._get_node(key)
        if (
            isinstance(child, DictConfig)
            and not (child._is_none() or child._is_interpolation() or child._is_missing())
            and depth > 1
        ):
            yield from dotted(child, f"{prefix}{key}.", depth - 1)


@cache
def hydra_key_names() -> list[str]:
    """Hydra's own keys, two levels deep."""
    config = compose(CONFIG_NAME, return_hydra_config=True)
    return list(dotted(config.hydra, "hydra.", depth=2))
