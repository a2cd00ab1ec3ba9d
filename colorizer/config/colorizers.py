"""Colorizers of a config, which may be a stranger's."""

import inspect
from collections.abc import Iterable
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn
from yaml import YAMLError

from colorizer.colorizer import Colorizer, colorizer_of
from colorizer.config.bounds import check_part
from colorizer.config.build import build, find_target, targets
from colorizer.errors import UserError, in_a_line, nearest, shown
from colorizer.representations import Representation

# Packages whose classes a config that came with a run or with weights may instantiate.
TRUSTED = (
    "colorizer.models.",
    "colorizer.representations.",
    "colorizer.data.",
    "kornia.augmentation.",
    "torch.nn.",
)

# Of the whole numbers in such a config, those that count images aside: channels, layers, sizes.
LARGEST = 8192


def build_trusted(
    node: DictConfig, trust: Iterable[str] = (), part: str = "", **kwargs: Any
) -> Any:
    """`build` of a network, a representation or a data set, for a config that came with a run.

    Args:
        node: what to build.
        trust: packages that are trusted beside the project's own and `torch.nn`.
        part: what it is of a config: `model`, `representation` or `data`.
        **kwargs: see `build`.

    Raises:
        UserError: a target is none of these, or in a package that is not trusted; or a value that
            cannot be.
    """
    trusted = trusted_prefixes(trust)
    _check_numbers(node)
    for target in sorted(set(targets(node))):
        found = find_target(target, "the run's config") if target.startswith(trusted) else None
        # Where it is defined counts: `colorizer.data.base.hashlib.new` is not the project's.
        home = f"{getattr(found, '__module__', '')}."
        if not (_is_part(found) and home.startswith(trusted)):
            raise UserError(
                f"the run's config asks for {target}, which is not a class of "
                f"{', '.join(name.rstrip('.') for name in trusted)}; trust (--trust) adds a package"
            )
    check_part(node, part)
    return build(node, **kwargs)


def _is_part(found: Any) -> bool:
    """Whether it is the class of a network, a representation or a data set."""
    if not inspect.isclass(found):
        return False
    if issubclass(found, nn.Module | Representation):
        return True
    from colorizer.data import ColorizationData  # with Lightning, which takes seconds to import

    return issubclass(found, ColorizationData)


def _check_numbers(node: Any) -> None:
    """Refuse numbers that would make a network of any size: `depth: 10000000`."""
    if OmegaConf.is_config(node):
        keys = node if isinstance(node, DictConfig) else range(len(node))
        for key in keys:
            value = node[key]
            if key in ("device", "dtype"):
                raise UserError(f"the run's config has {key}={shown(value)}: not for it to say")
            counts_images = str(key).endswith("_images")
            if isinstance(value, int) and value > LARGEST and not counts_images:
                raise UserError(f"the run's config has {key!s}={value}: more than {LARGEST}")
            _check_numbers(value)


def trusted_prefixes(trust: Iterable[str] = ()) -> tuple[str, ...]:
    """The beginnings of dotted names that the config of a run may instantiate."""
    return (*TRUSTED, *(f"{name.rstrip('.')}." for name in trust))


def build_colorizer(config: DictConfig, trust: Iterable[str] | None = None) -> Colorizer:
    """The untrained colorizer of a config.

    Args:
        config: with `model` and `representation`.
        trust: for the config of a run, see `build_trusted`; None, for the user's own: anything.

    Raises:
        UserError: the network refuses its arguments, or a class is not trusted.
    """

    def make(part: str, **kwargs: Any) -> Any:
        if not isinstance(config.get(part), DictConfig):
            raise UserError(f"the config has no {part}")
        if trust is None:
            return build(config[part], **kwargs)
        return build_trusted(config[part], trust, part, **kwargs)

    representation = make("representation")
    return colorizer_of(make("model", out_channels=representation.channels), representation)


_ABSENT = object()


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
            there = OmegaConf.select(config, key, default=_ABSENT, throw_on_missing=False)
            is_there = there is not _ABSENT  # None is a value
            if not (equals and is_there and key.startswith(("model.", "representation."))):
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
            raise UserError(f"{shown(repr(change))}: {in_a_line(error)}") from error
        assert isinstance(merged, DictConfig)
        config = merged
    return config
