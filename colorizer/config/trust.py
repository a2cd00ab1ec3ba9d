"""What a config may instantiate, by whose config it is.

The user's own config, on the command line and in `--config-dir`, may name every class outside
Python's standard library. Functions: of `LIBRARIES` those of `FUNCTIONS` alone, since others read,
write or execute; of other packages, which are the user's choice, any.

A study's config may name what `STUDIES` lists, defined there, of a kind that a training is made of.
A run's, and that of a file of weights: networks, representations and data sets (`build_trusted`).
`--trust PACKAGE` adds a package to these two. Names are checked before anything is imported.
"""

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from colorizer.config.build import find_target
from colorizer.config.overrides import cited
from colorizer.errors import UserError
from colorizer.representations import Representation

# Packages that this one brings along, with functions that read, write or execute.
LIBRARIES = frozenset(
    {
        *("PIL", "cloudpickle", "fsspec", "hydra", "joblib", "kornia", "lightning_fabric"),
        *("lightning_utilities", "matplotlib", "mlflow", "numpy", "omegaconf", "optuna", "pandas"),
        *("plotly", "pytorch_lightning", "ray", "safetensors", "scipy", "skimage", "submitit"),
        *("tensorboard", "timm", "torch", "torchmetrics", "torchvision", "wandb", "yaml"),
    }
)

# Of them, where functions are no more than mathematics.
FUNCTIONS = ("kornia.", "torch.nn.", "torch.optim.", "torchvision.transforms.")

# Where what a study asks for is defined.
STUDIES = (
    *(f"colorizer.{room}." for room in ("callbacks", "data", "loggers", "losses", "models")),
    *(f"colorizer.{room}." for room in ("representations", "schedulers", "tasks", "judge")),
    *("kornia.augmentation.", "torch.nn.", "torch.optim.", "pytorch_lightning."),
)


def _kinds() -> tuple[type, ...]:
    """The classes that a training is made of."""
    import pytorch_lightning as pl  # takes seconds
    from pytorch_lightning.loggers import Logger

    from colorizer.data import ColorizationData

    lightning = (pl.LightningModule, pl.Callback, pl.Trainer, Logger)
    return (nn.Module, Representation, ColorizationData, *lightning, Optimizer, LRScheduler)


# Functions that a study may name.
MAKERS = ("colorizer.schedulers.", "colorizer.load")

# Keys of Hydra's that a study may set: how many jobs, and what a search is.
HYDRA = re.compile(
    r"hydra/(launcher|sweeper)=\w+"
    r"|hydra\.sweeper\.(n_trials|sampler|pruner|startup_trials|seed|seeds)=\w+"
    r"|hydra\.launcher\.n_jobs=\d+"
)
# Keys that say where something is written, or which run or study it is.
PLACES = ("run_dir", "study", "resume", "retry_failed", "hydra")


def check_own(config: DictConfig) -> None:
    """Check the targets of a config that is the user's own.

    Raises:
        UserError: one reads, writes or executes, and makes nothing that is trained with.
    """
    for path, target in _targets(config):
        package = target.partition(".")[0]
        if package in sys.stdlib_module_names:
            raise UserError(f"{path}._target_={target}: nothing of Python's own is instantiated")
        if package in LIBRARIES and not target.startswith(FUNCTIONS):
            found = find_target(target, path)
            if not inspect.isclass(found):
                raise UserError(f"{path}._target_={target}: a class is asked for, not a function")


def check_study(config: DictConfig, trust: Iterable[str] = ()) -> None:
    """Check the targets of a study, and that it writes into its own folder.

    Args:
        config: of one of its jobs, as composed.
        trust: packages beside the project's own.

    Raises:
        UserError: a target that is not trusted, or a path outside the folder.
    """
    extra = tuple(f"{name.rstrip('.')}." for name in trust)
    for path, target in _targets(config):
        if not target.startswith((*STUDIES, "colorizer.load", *extra)):
            raise UserError(_distrust(path, target))
        found = find_target(target, path)
        home = f"{getattr(found, '__module__', '')}."
        known = inspect.isclass(found) and issubclass(found, _kinds()) and home.startswith(STUDIES)
        if not (known or target.startswith((*MAKERS, *extra))):
            raise UserError(_distrust(path, target))
        if target == "colorizer.load" and OmegaConf.select(config, f"{path}.trust"):
            raise UserError(f"{path}.trust: whom to trust is for the user to say")
    for part in ("callbacks", "logger", "trainer"):
        for path, value in _strings(config.get(part), part):
            inside = value.startswith("${run_dir}") and ".." not in PurePosixPath(value).parts
            if ("/" in value or path.rpartition(".")[2] in _PATHS) and value and not inside:
                raise UserError(f"{path}={value}: a study writes into its own folder alone")


# Arguments of loggers, callbacks and the trainer that are folders.
_PATHS = ("dir", "dirpath", "default_root_dir", "folder", "root_dir", "save_dir", "log_dir")


def check_study_overrides(overrides: Sequence[str]) -> None:
    """Check the overrides of a study before they are composed.

    Raises:
        UserError: one is an option, sets a place or what Hydra does, or asks for the environment.
    """
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0]
        parts = re.split(r"[./@]", key)
        where = cited(override)
        if override.startswith("-"):
            raise UserError(f"{where}: an option is no override, which is all a study has")
        if parts[0] in PLACES and not HYDRA.fullmatch(override):
            raise UserError(f"{where}: not for a study to say; give it on the command line")
        if re.search(r"\$\{[^}]*:", override):
            raise UserError(f"{where}: a study does not ask for the environment")


def _targets(config: DictConfig) -> Iterator[tuple[str, str]]:
    """The path and the name of every target, Hydra's own part left out."""
    for key in map(str, config):
        if key != "hydra":
            yield from _targets_at(config._get_node(key), key)


def _targets_at(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """The targets below a node, each with its path."""
    if isinstance(node, DictConfig) and not (node._is_none() or node._is_interpolation()):
        if "_target_" in node:
            yield path, str(node._target_)
        for key in map(str, node):
            yield from _targets_at(node._get_node(key), f"{path}.{key}")
    elif OmegaConf.is_list(node) and not (node._is_none() or node._is_interpolation()):
        for index in range(len(node)):
            yield from _targets_at(node._get_node(index), f"{path}.{index}")


def _strings(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """The strings below a node, interpolations as they are written."""
    content = OmegaConf.to_container(node) if OmegaConf.is_config(node) else node
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _strings(value, f"{path}.{key!s}")
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from _strings(value, f"{path}.{index}")
    elif isinstance(content, str) and not path.endswith("._target_"):
        yield path, content


def _distrust(path: str, target: str) -> str:
    return (
        f"{path}._target_={target}: not a class that a study may name; if you trust it, "
        "--trust PACKAGE adds its package"
    )
