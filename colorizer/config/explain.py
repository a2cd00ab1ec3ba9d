"""Hydra's errors, with the nearest valid name."""

import contextlib
import re
from collections.abc import Sequence

from hydra import compose
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf

from colorizer.config.keys import (
    CONFIG_NAME,
    HYDRA_KEYS,
    dotted,
    has_target,
    hydra_key_names,
    options_of,
    settable,
)
from colorizer.config.overrides import cited, parsed
from colorizer.errors import first_line, in_a_line, nearest, shown
from colorizer.paths import groups


def explain(error: Exception, overrides: Sequence[str], extra: Sequence[str]) -> str:
    """Explain an error of Hydra's in a line or two, with the nearest valid name."""
    message = str(error)
    if isinstance(error, OSError) and not isinstance(
        error, HydraException
    ):  # such as a name that is too long for a file
        longest = cited(max(overrides, key=len)) if overrides else "config"
        return f"{longest}: {error.strerror or first_line(error)}"
    if isinstance(error, RecursionError):
        return "a config file includes itself, by its defaults or by an interpolation"
    dropped = [o for o in parsed(overrides) if o.key_or_group in groups() and o.value() is None]
    if dropped and "Got NoneType" in message:
        line, group = cited(dropped[0].input_line), dropped[0].key_or_group
        return f"{line}: an experiment file can drop it, with 'override /{group}: null'"
    if "Config group override must be" in message:
        chosen = [o for o in parsed(overrides) if o.key_or_group in groups()]
        wrong = [o for o in chosen if not isinstance(o.value(), str | list)]
        line = str(wrong[0].input_line) if wrong else message
        return f"{cited(line)}: the name of a config file is asked for"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        source = re.match(r"In '([^']+)'", message)
        where = _where(group, name, overrides, source[1] if source else None)
        options = options_of(group)
        if not options:
            return f"{where}: there is no group {_cut(group)}.{nearest(group, groups())}"
        return f"{where}: {group} has no {_cut(name)}.{nearest(name, options)}"
    named = re.search(r"Could not override '([^']+)'", message)
    if named:
        source = re.match(r"In '([^']+)'", message)
        key = named[1].split("@")[0]
        if source and source[1] != CONFIG_NAME:
            return f"{source[1]}.yaml: no group {_cut(key)} to override.{nearest(key, groups())}"
        with contextlib.suppress(HydraException):  # the other overrides can be wrong, too
            return _explain_override(key, overrides, extra)
    return _with_override(error, overrides)


def _with_override(error: Exception, overrides: Sequence[str]) -> str:
    """What Hydra says, behind the override that it is of."""
    merged = re.match(r"Error merging override (.*)", str(error))
    there = re.match(r"Could not append to config. An item is already at '([^']+)'", str(error))
    if there:
        lines = [str(o.input_line) for o in parsed(overrides) if o.key_or_group == there[1]]
        return f"{cited((lines or [there[1]])[0])}: it is there already; without + it is changed"
    if merged and error.__cause__:
        cause = in_a_line(error.__cause__)
        if "resolving interpolation" in cause:  # of what is there, as Hydra looks at it
            cause = "it is there already; without + it is changed"
        return f"{cited(merged[1])}: {cause}"
    return in_a_line(error)


def _cut(name: str) -> str:
    """A name in quotes, of a length that can be read."""
    return repr(shown(name, most=100))


def _where(group: str, name: str, overrides: Sequence[str], source: str | None) -> str:
    for override in parsed(overrides):
        if override.key_or_group == group and name in str(override.value()):
            return cited(override.input_line)
    return f"{source}.yaml" if source else "config"


def _explain_override(key: str, overrides: Sequence[str], extra: Sequence[str]) -> str:
    lines = [str(o.input_line) for o in parsed(overrides) if o.key_or_group == key]
    line = lines[-1] if lines else key
    where = cited(line)
    known_groups = groups()
    if key in known_groups:
        return f"{where}: the name of a config file is asked for"
    # The keys there would be, had only groups been chosen.
    choices = [str(o.input_line) for o in parsed(overrides) if o.key_or_group in known_groups]
    config = compose(CONFIG_NAME, [*choices, *extra])
    parent, _, last = key.rpartition(".")
    if parent in ("loss.weights", "loss.terms") and last in options_of("loss"):
        terms = ",".join([*map(str, config.loss.terms), last])
        return f"{where}: the loss has no term {last!r}; 'loss=[{terms}]' adds it."
    node = OmegaConf.select(config, parent, throw_on_missing=False) if parent else None
    if isinstance(node, DictConfig) and has_target(node):
        known = settable(parent, str(node._target_)) or []
        if last in known:
            return f"{where}: {key!r} is not set yet, so add it: '+{shown(line, most=200)}'"
        return f"{where}: nothing reads the key {_cut(last)} under {parent!r}." + nearest(
            last, {*known, *map(str, node)} - HYDRA_KEYS
        )
    known = [*dotted(config), *known_groups, *hydra_key_names()]
    if "." not in key:
        known = [name for name in known if "." not in name]
    return f"{where}: there is no key {_cut(key)}.{nearest(key, known)}"
