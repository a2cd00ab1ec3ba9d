"""Composing, checking and instantiating configs.

Hydra composes a misspelt key in a YAML file in silence. Here every key of the composed config must
be read by something: a top-level key of `conf/train.yaml`, or a parameter of the `_target_` that
it stands under.
"""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import (
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from hydra.types import RunMode
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from torch import nn
from tqdm import tqdm

from colorizer.data import ColorizationData
from colorizer.errors import UserError
from colorizer.metrics import BETTER
from colorizer.paths import config_folder, groups
from colorizer.representations import Representation

CONFIG_NAME = "train"

# What runs are ranked by that have no other metric in common.
SHARED = "val/mse"

# What an objective depends on, beside the representation.
UNITS = ("model._target_", "model.noise", "model.guide")

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

# Classes that pass what they do not know on to a function with a signature of its own.
PASSES_ON = {"pytorch_lightning.loggers.WandbLogger": "wandb.init"}

# Where the classes come from that a config of somebody's run may instantiate.
TRUSTED = (
    "colorizer.models.",
    "colorizer.representations.",
    "colorizer.data.",
    "kornia.augmentation.",
    "torch.nn.",
)


@dataclass
class Job:
    """One training that a command line asks for."""

    overrides: list[str]
    config: DictConfig


def compose_jobs(
    overrides: Sequence[str], multirun: bool = False, config_dir: str | None = None
) -> list[Job]:
    """Compose and check every job of a command line; nothing is written.

    Args:
        overrides: of the command line.
        multirun: whether values stand for several jobs; `hydra.sweeper.params` are overrides too.
        config_dir: more config files.

    Raises:
        UserError: an unknown key or group, a value that cannot be, or no job at all.
    """
    overrides = list(overrides)
    with _composing(config_dir) as one:
        if not multirun:
            return [one(overrides)]
        split = _split(overrides)
        params = one(split[0]).config.hydra.sweeper.get("params") if split else None
        if params:
            split = _split([*(f"{key}={value}" for key, value in params.items()), *overrides])
        if not split:
            empty = [str(o.input_line) for o in parsed(overrides) if o.is_sweep_override()]
            raise UserError(f"the sweep has no jobs: {', '.join(empty)} is empty")
        return [one(job) for job in tqdm(split, "composing", disable=len(split) < 30, leave=False)]


@dataclass
class Space:
    """What a search looks for, and in what.

    Args:
        fixed: overrides with one value.
        swept: overrides with several, by key.
        sample: the job at the first value of each.
    """

    fixed: list[str]
    swept: dict[str, Override]
    sample: Job


def sweeper_of(overrides: Sequence[str], config_dir: str | None = None) -> DictConfig:
    """The config of Hydra's sweeper that a command line chooses.

    Raises:
        UserError: see `compose_jobs`.
    """
    fixed = [str(o.input_line) for o in parsed(overrides) if not o.is_sweep_override()]
    with _composing(config_dir) as one:
        sweeper: DictConfig = one(fixed).config.hydra.sweeper
        return sweeper


def common_monitor(configs: Sequence[DictConfig]) -> str | None:
    """What runs with these configs can be compared by; None where they have nothing in common.

    An objective that is no metric of images depends on the representation, and on what a model
    begins with and how coarse it is.
    """
    monitors = {str(config.get("monitor", SHARED)) for config in configs}
    if len(monitors) > 1:
        return None
    (monitor,) = monitors
    kinds = [
        (config.get("representation"), *(OmegaConf.select(config, key) for key in UNITS))
        for config in configs
    ]
    alike = all(kind == kinds[0] for kind in kinds)
    return monitor if alike or monitor.removeprefix("val/") in BETTER else None


def compose_space(overrides: Sequence[str], config_dir: str | None = None) -> Space:
    """Compose and check the space of a search; nothing is written.

    Raises:
        UserError: see `compose_jobs`; or nothing has several values.
    """
    params = sweeper_of(overrides, config_dir).get("params") or {}
    given = parsed([*(f"{key}={value}" for key, value in params.items()), *overrides])
    # What stands later counts.
    by_key = {str(o.get_key_element()): o for o in given}
    fixed = [str(o.input_line) for o in by_key.values() if not o.is_sweep_override()]
    swept = {key: o for key, o in by_key.items() if o.is_sweep_override()}
    if not swept:
        raise UserError(
            "hydra/sweeper=optuna: nothing to search; give a key several values, such as "
            "'optimizer.lr=tag(log, interval(1e-4,1e-2))'"
        )
    values = {key: _values(override) for key, override in swept.items()}
    first = {key: f"{key}={options[0]}" for key, options in values.items()}
    with _composing(config_dir) as one:
        sample = one([*fixed, *first.values()])
        for key, options in values.items():
            for option in options[1:]:
                other = one([*fixed, *{**first, key: f"{key}={option}"}.values()])
                if not common_monitor([sample.config, other.config]):
                    raise UserError(
                        f"{swept[key].input_line}: the trials could not be compared, by "
                        f"{sample.config.monitor} and {other.config.monitor} of different "
                        f"representations or tasks; monitor={SHARED} is a metric of all"
                    )
    return Space(fixed, swept, sample)


def _values(override: Override) -> list[str]:
    """The values to try before a search begins: all, or the ends of an interval."""
    space = override.value()
    values = (
        [str(space.start), str(space.end)]
        if isinstance(space, IntervalSweep)
        else list(override.sweep_string_iterator())
    )
    if not values:
        raise UserError(f"the search has no values to try: {override.input_line} is empty")
    return values


@contextmanager
def _composing(config_dir: str | None) -> Iterator[Callable[[list[str]], Job]]:
    """Something that composes and checks the job of a list of overrides."""
    extra = [f"hydra.searchpath=[file://{Path(config_dir).absolute()}]"] if config_dir else []

    def one(overrides: list[str]) -> Job:
        try:
            config = compose(CONFIG_NAME, [*overrides, *extra], return_hydra_config=True)
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            raise UserError(_explain(error, overrides, extra)) from error
        _check_keys(config, [*overrides, *extra])
        return Job(overrides, config)

    try:
        with initialize_config_dir(str(config_folder()), version_base="1.3", job_name="train"):
            yield one
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_explain(error, [], [])) from error


def resolved(config: DictConfig, run_dir: str) -> DictConfig:
    """A resolved copy without Hydra's own part, for a run in `run_dir`.

    Raises:
        UserError: an interpolation without a value, or a value that was left open.
    """
    config = config.copy()
    with open_dict(config):
        config.pop("hydra", None)
        config.run_dir = run_dir
        for part in PARTS:
            config.setdefault(part, None)
    config.monitor_mode = monitor_mode(config)
    try:
        OmegaConf.resolve(config)
        missing = sorted(OmegaConf.missing_keys(config))
    except OmegaConfBaseException as error:
        raise UserError(first_line(error)) from error
    if missing:
        raise UserError(f"{missing[0]} has no value (???): give it one on the command line")
    _check_values(config)
    return config


def monitor_mode(config: DictConfig) -> str:
    """`min` or `max`: which way the monitored metric is better.

    Raises:
        UserError: it is not a validation metric, or the config says otherwise.
    """
    better = _found(str(config.task._target_), "task").better
    known = {f"val/{name}": mode for name, mode in better.items()}
    if config.monitor not in known:
        raise UserError(
            f"monitor={config.monitor}: not a metric to choose by.{nearest(config.monitor, known)}"
        )
    mode = known[config.monitor]
    if config.monitor_mode not in (None, mode):
        raise UserError(f"monitor_mode={config.monitor_mode}: {config.monitor} is better at {mode}")
    return mode


def _check_values(config: DictConfig) -> None:
    """The top-level values; those below a target are the target's to check."""
    if type(config.seed) is not int or not 0 <= config.seed < 2**32:
        raise UserError(f"seed={config.seed}: a whole number from 0 to 4294967295")
    if config.threads is not None and (type(config.threads) is not int or config.threads < 1):
        raise UserError(f"threads={config.threads}: a whole number from 1, or null for all cores")
    for key in ("name", "group"):
        if config[key] is not None and not isinstance(config[key], str):
            config[key] = str(config[key])


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
    """`build` of a network, a representation or a data set, for a config of somebody's run.

    Args:
        node: what to build.
        trust: packages that are trusted beside the project's own and `torch.nn`.
        **kwargs: see `build`.

    Raises:
        UserError: a target that is none of these, or is not in a package that is trusted.
    """
    trusted = (*TRUSTED, *(f"{name.rstrip('.')}." for name in trust))
    for target in sorted(set(_targets(node))):
        found = _found(target, "the run's config") if target.startswith(trusted) else None
        # Where it is defined counts: `colorizer.data.base.hashlib.new` is not the project's.
        home = f"{getattr(found, '__module__', '')}."
        kinds = (nn.Module, Representation, ColorizationData)
        if not (inspect.isclass(found) and issubclass(found, kinds) and home.startswith(trusted)):
            raise UserError(
                f"the run's config asks for {target}, which is not a class of "
                f"{', '.join(name.rstrip('.') for name in trusted)}; trust (--trust) adds a package"
            )
    return build(node, **kwargs)


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its name where it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """' Did you mean …?', or what there is; for the end of a message."""
    known = sorted(set(known))
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" There is: {', '.join(known)}." if 0 < len(known) <= 24 else ""


def quoted(value: str) -> str:
    """As a value of Hydra's override grammar."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _split(overrides: list[str]) -> list[list[str]]:
    """The jobs of a multirun, as Hydra's own sweeper makes them."""
    jobs: list[list[str]]
    for override in parsed(overrides):
        if override.is_sweep_override() and not override.is_discrete_sweep():
            raise UserError(
                f"override {override.input_line!r}: a grid needs values, such as 0.1,0.2; "
                "hydra/sweeper=optuna searches an interval"
            )
    (jobs,) = BasicSweeper.split_arguments(parsed(overrides), max_batch_size=None)
    return jobs


def _is_lightning_refusal(error: BaseException) -> bool:
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    return isinstance(error, MisconfigurationException)


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, DictConfig):
        if "_target_" in node:
            yield str(node._target_)
        for key in node:
            yield from _targets(node[key])
    elif OmegaConf.is_list(node):
        for item in node:
            yield from _targets(item)


# --- unknown keys ---


def _check_keys(config: DictConfig, overrides: Sequence[str]) -> None:
    for path, known in _unknown_keys(config):
        parent, _, key = path.rpartition(".")
        under = f" under {parent!r}" if parent else ""
        raise UserError(
            f"{_origin(path, overrides)}: nothing reads the key {key!r}{under}."
            + nearest(key, known)
        )


def _unknown_keys(config: DictConfig) -> Iterator[tuple[str, list[str]]]:
    """Dotted paths that nothing reads, each with the keys that there are in its place."""
    top_level = _top_level()
    for key in NEEDED:
        if not _has(config, key):
            raise UserError(f"{key} is missing: there has to be one of {', '.join(_options(key))}")
    taken = parameters(str(config.task._target_), "task") or PARTS.values()
    for key, argument in PARTS.items():
        if argument in taken and not _has(config, key):
            raise UserError(f"{key} is missing: there has to be one of {', '.join(_options(key))}")
        if argument not in taken and _has(config, key):
            raise UserError(
                f"{config.task._target_} takes no {key}: an experiment file can drop it with "
                f"'override /{key}: null'"
            )
    hydra_keys = _hydra_keys()
    for key in _dotted(config.hydra, "hydra.", depth=2):
        if key not in hydra_keys and key.rpartition(".")[0] not in OPEN_HYDRA_KEYS:
            yield key, [name.rpartition(".")[2] for name in hydra_keys]
    for key in map(str, config):
        if key == "hydra":
            continue
        if key not in top_level:
            yield key, top_level
        node = config._get_node(key)
        if isinstance(node, DictConfig) and not node._is_none():
            if "_target_" not in node:
                # A group of named entries, each with a target of its own.
                entries = [name for name in map(str, node) if _has_target(node._get_node(name))]
                for name in map(str, node):
                    if name not in entries and node[name] is not None:
                        yield f"{key}.{name}", entries
            yield from _unknown_below(node, key)


@cache
def _top_level() -> list[str]:
    """Groups, and what conf/train.yaml itself holds."""
    own = OmegaConf.load(config_folder() / f"{CONFIG_NAME}.yaml")
    names = {*groups(), *map(str, own)} - {"defaults", "hydra", "experiment"}
    return sorted(names)


def _unknown_below(node: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    if not isinstance(node, DictConfig) or node._is_none() or node._is_missing():
        return
    if "_target_" in node:
        known = parameters(str(node._target_), path)
        if known is not None:
            for key in map(str, node):
                if key not in known and key not in HYDRA_KEYS:
                    yield f"{path}.{key}", known
    for key in map(str, node):
        child = node._get_node(key)
        if not (isinstance(child, DictConfig) and child._is_interpolation()):
            yield from _unknown_below(child, f"{path}.{key}")


def _has(config: DictConfig, group: str) -> bool:
    return isinstance(config.get(group), DictConfig) and bool(config[group])


def _has_target(node: Any) -> bool:
    return isinstance(node, DictConfig) and not node._is_none() and "_target_" in node


def parameters(target: str, path: str) -> list[str] | None:
    """The keyword parameters of a target; None where it takes any.

    Raises:
        UserError: there is no such target.
    """
    found = _found(target, path)
    names: list[str] = []
    for function in _constructors(found):
        signature = inspect.signature(function)
        names += [
            name
            for name, parameter in signature.parameters.items()
            if name != "self"
            and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        ]
        if not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
            return names
    if target in PASSES_ON:
        return names + (parameters(PASSES_ON[target], path) or [])
    return None


def _found(target: str, path: str) -> Any:
    try:
        return get_object(target)
    except Exception as error:
        raise UserError(f"{path}: there is no {target} ({first_line(error)})") from error


def _constructors(found: Any) -> Iterator[Any]:
    """A function itself; of a class the `__init__`s that `**kwargs` can reach, nearest first."""
    if not inspect.isclass(found):
        yield found
        return
    for cls in found.__mro__:
        if "__init__" in vars(cls) and cls is not object:
            yield vars(cls)["__init__"]


def _origin(path: str, overrides: Sequence[str]) -> str:
    """The override or the file that a key of the composed config came from."""
    for override in parsed(overrides):
        key = override.get_key_element().lstrip("+~")
        if key == path or key.startswith(f"{path}."):
            return f"override {override.input_line!r}"
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


# --- Hydra's errors, with the nearest valid name ---


def _explain(error: Exception, overrides: Sequence[str], extra: Sequence[str]) -> str:
    message = str(error)
    if isinstance(error, OverrideParseException):
        return f"override {error.override!r} cannot be read: {first_line(error)}"
    dropped = [o for o in parsed(overrides) if o.key_or_group in groups() and o.value() is None]
    if dropped and "Got NoneType" in message:
        line, group = dropped[0].input_line, dropped[0].key_or_group
        return f"override {line!r}: an experiment file can drop it, with 'override /{group}: null'"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        source = re.match(r"In '([^']+)'", message)
        where = _where(group, name, overrides, source[1] if source else None)
        options = _options(group)
        if not options:
            return f"{where}: there is no group {group!r}.{nearest(group, groups())}"
        return f"{where}: {group} has no {name!r}.{nearest(name, options)}"
    named = re.search(r"Could not override '([^']+)'", message)
    if named:
        source = re.match(r"In '([^']+)'", message)
        key = named[1].split("@")[0]
        if source and source[1] != CONFIG_NAME:
            return f"{source[1]}.yaml: no group {key!r} to override.{nearest(key, groups())}"
        return _explain_override(key, overrides, extra)
    full_key = re.search(r"full_key: (\S+)", message)
    return first_line(error) + (f" ({full_key[1]})" if full_key else "")


def _where(group: str, name: str, overrides: Sequence[str], source: str | None) -> str:
    for override in parsed(overrides):
        if override.key_or_group == group and name in str(override.value()):
            return f"override {override.input_line!r}"
    return f"{source}.yaml" if source else "config"


def _explain_override(key: str, overrides: Sequence[str], extra: Sequence[str]) -> str:
    line = next((str(o.input_line) for o in parsed(overrides) if o.key_or_group == key), key)
    known_groups = groups()
    # The keys there would be, had only groups been chosen.
    choices = [str(o.input_line) for o in parsed(overrides) if o.key_or_group in known_groups]
    config = compose(CONFIG_NAME, [*choices, *extra])
    parent, _, last = key.rpartition(".")
    if parent in ("loss.weights", "loss.terms") and last in _options("loss"):
        terms = ",".join([*map(str, config.loss.terms), last])
        return f"override {line!r}: the loss has no term {last!r}; 'loss=[{terms}]' adds it."
    node = OmegaConf.select(config, parent, throw_on_missing=False) if parent else None
    if isinstance(node, DictConfig) and _has_target(node):
        known = parameters(str(node._target_), parent) or []
        if last in known:
            return f"override {line!r}: {key!r} is not set yet, so add it: '+{line}'"
        return f"override {line!r}: nothing reads the key {last!r} under {parent!r}." + nearest(
            last, {*known, *map(str, node)} - HYDRA_KEYS
        )
    known = [*_dotted(config), *known_groups, *_hydra_keys()]
    if "." not in key:
        known = [name for name in known if "." not in name]
    return f"override {line!r}: there is no key {key!r}.{nearest(key, known)}"


def parsed(overrides: Sequence[str]) -> list[Override]:
    """The overrides as Hydra understands them."""
    return OverridesParser.create().parse_overrides(list(overrides))


def _options(group: str) -> list[str]:
    repository = GlobalHydra.instance().config_loader().repository  # type: ignore[attr-defined]
    options: list[str] = repository.get_group_options(group)
    return options


def _dotted(config: DictConfig, prefix: str = "", depth: int = 9) -> Iterator[str]:
    for key in map(str, config):
        yield f"{prefix}{key}"
        child = config._get_node(key)
        if (
            isinstance(child, DictConfig)
            and not (child._is_none() or child._is_interpolation() or child._is_missing())
            and depth > 1
        ):
            yield from _dotted(child, f"{prefix}{key}.", depth - 1)


@cache
def _hydra_keys() -> list[str]:
    """Hydra's own keys, two levels deep."""
    config = compose(CONFIG_NAME, return_hydra_config=True)
    return list(_dotted(config.hydra, "hydra.", depth=2))
