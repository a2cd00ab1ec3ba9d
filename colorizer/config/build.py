"""Instantiating what a config describes."""

import inspect
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn
from yaml import YAMLError

from colorizer.colorizer import Colorizer, colorizer_of
from colorizer.data import ColorizationData
from colorizer.errors import UserError, first_line, nearest
from colorizer.representations import Representation

# Packages whose classes a config that came with a run or with weights may instantiate.
TRUSTED = (
    "colorizer.models.",
    "colorizer.representations.",
    "colorizer.data.",
    "kornia.augmentation.",
    "torch.nn.",
)

# Of the whole numbers in such a config: channels, layers, sizes.
LARGEST = 8192


def build(node: DictConfig, *args: Any, **kwargs: Any) -> Any:
    """Instantiate a `_target_` with the arguments that only the code knows.

    Raises:
        UserError: the target refuses its arguments.
    """
    try:
        return instantiate(node, *args, **kwargs)
    except InstantiationException as error:
        cause = error.__cause__ or error
        if isinstance(cause, UserError):
            raise cause from error
        if isinstance(cause, TypeError | ValueError | ImportError) or _is_lightning_refusal(cause):
            raise UserError(f"{node._target_}: {first_line(cause)}") from error
        raise


def build_trusted(node: DictConfig, trust: Iterable[str] = (), **kwargs: Any) -> Any:
    """`build` of a network, a representation or a data set, for a config that came with a run.

    Args:
        node: what to build.
        trust: packages that are trusted beside the project's own and `torch.nn`.
        **kwargs: see `build`.

    Raises:
        UserError: a target is none of these, or in a package that is not trusted.
    """
    trusted = trusted_prefixes(trust)
    _check_numbers(node)
    for target in sorted(set(targets(node))):
        found = find_target(target, "the run's config") if target.startswith(trusted) else None
        # Where it is defined counts: `colorizer.data.base.hashlib.new` is not the project's.
        home = f"{getattr(found, '__module__', '')}."
        kinds = (nn.Module, Representation, ColorizationData)
        if not (inspect.isclass(found) and issubclass(found, kinds) and home.startswith(trusted)):
            raise UserError(
                f"the run's config asks for {target}, which is not a class of "
                f"{', '.join(name.rstrip('.') for name in trusted)}; trust (--trust) adds a package"
            )
    return build(node, **kwargs)


def _check_numbers(node: Any) -> None:
    """Refuse numbers that would make a network of any size: `depth: 10000000`."""
    if OmegaConf.is_config(node):
        keys = node if isinstance(node, DictConfig) else range(len(node))
        for key in keys:
            value = node[key]
            if isinstance(value, int) and value > LARGEST:
                raise UserError(f"the run's config has {key!s}={value}: more than {LARGEST}")
            _check_numbers(value)


def trusted_prefixes(trust: Iterable[str] = ()) -> tuple[str, ...]:
    """The beginnings of dotted names that the config of a run may instantiate."""
    return (*TRUSTED, *(f"{name.rstrip('.')}." for name in trust))


def _is_lightning_refusal(error: BaseException) -> bool:
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    return isinstance(error, MisconfigurationException)


def targets(node: Any) -> Iterator[str]:
    """The `_target_`s of a config, those below others included."""
    if isinstance(node, DictConfig):
        if "_target_" in node:
            yield str(node._target_)
        for key in node:
            yield from targets(node[key])
    elif OmegaConf.is_list(node):
        for item in node:
            yield from targets(item)


def find_target(target: str, path: str) -> Any:
    """Import a `_target_`; raises UserError where there is none."""
    try:
        return get_object(target)
    except Exception as error:
        raise UserError(f"{path}: there is no {target} ({first_line(error)})") from error


def build_colorizer(config: DictConfig, trust: Iterable[str] | None = None) -> Colorizer:
    """The untrained colorizer of a config.

    Args:
        config: with `model` and `representation`.
        trust: for the config of a run, see `build_trusted`; None, for the user's own: anything.

    Raises:
        UserError: the network refuses its arguments, or a class is not trusted.
    """
    make = build if trust is None else partial(build_trusted, trust=trust)
    representation = make(config.representation)
    return colorizer_of(make(config.model, out_channels=representation.channels), representation)


def changed(config: DictConfig, changes: Iterable[str]) -> DictConfig:
    """A trained colorizer's config with other values of its model or representation.

    Args:
        config: with `model` and `representation`.
        changes: `KEY=VALUE`, such as `model.temperature=0.5`.

    Raises:
        UserError: the config has no such key, the value cannot be read, or the weights would mean
            something else with it.
    """
    for change in changes:
        key, equals, _ = change.partition("=")
        try:
            there = OmegaConf.select(config, key, throw_on_missing=False) is not None
            if not (equals and there and key.startswith(("model.", "representation."))):
                parts = ("model", "representation")
                known = [f"{part}.{k}" for part in parts for k in config[part] if k[0] != "_"]
                raise UserError(
                    f"{change!r}: what was trained has no such key.{nearest(key, known)}"
                )
            if key.startswith("representation.") and key != "representation.temperature":
                raise UserError(
                    f"{change!r}: the weights are of {key}={OmegaConf.select(config, key)}"
                )
            merged = OmegaConf.merge(config, OmegaConf.from_dotlist([change]))
        except (OmegaConfBaseException, YAMLError) as error:
            raise UserError(f"{change!r}: {first_line(error)}") from error
        assert isinstance(merged, DictConfig)
        config = merged
    return config
