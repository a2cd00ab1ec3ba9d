"""Composing the jobs of a command line."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from tqdm import tqdm

from colorizer.config.explain import explain
from colorizer.config.keys import CONFIG_NAME, check_keys
from colorizer.config.overrides import jobs_of, parsed
from colorizer.config.source import checked_search_path
from colorizer.config.trust import check_own
from colorizer.errors import UserError, in_a_line
from colorizer.paths import config_folder

RUN_DIR = "${hydra:runtime.output_dir}"

Check = Callable[[DictConfig], None]


@dataclass
class Job:
    """One training that a command line asks for."""

    overrides: list[str]
    config: DictConfig


def compose_jobs(
    overrides: Sequence[str],
    multirun: bool = False,
    config_dir: str | None = None,
    trusted: Check = check_own,
) -> list[Job]:
    """Compose and check every job of a command line; nothing is written.

    Args:
        overrides: of the command line.
        multirun: whether values stand for several jobs; `hydra.sweeper.params` are overrides too.
        config_dir: more config files.
        trusted: checks what a config instantiates, see `colorizer.config.trust`.

    Raises:
        UserError: an unknown key or group, a value that cannot be, or no job at all.
    """
    overrides = list(overrides)
    with composing(config_dir, trusted) as one:
        if not multirun:
            return [one(overrides)]
        split = jobs_of(overrides)
        params = one(split[0]).config.hydra.sweeper.get("params") if split else None
        if params:
            split = jobs_of([*(f"{key}={value}" for key, value in params.items()), *overrides])
        if not split:
            empty = [str(o.input_line) for o in parsed(overrides) if o.is_sweep_override()]
            raise UserError(f"the sweep has no jobs: {', '.join(empty)} is empty")
        return [one(job) for job in tqdm(split, "composing", disable=len(split) < 30, leave=False)]


def is_search(
    overrides: Sequence[str], config_dir: str | None = None, trusted: Check = check_own
) -> bool:
    """True if a command line chooses a search, not every combination of values.

    Raises:
        UserError: see `compose_jobs`.
    """
    sweeper = sweeper_of(overrides, config_dir, trusted)
    return str(sweeper._target_).endswith(".SearchSweeper")


def sweeper_of(
    overrides: Sequence[str], config_dir: str | None = None, trusted: Check = check_own
) -> DictConfig:
    """The config of Hydra's sweeper that a command line chooses.

    Raises:
        UserError: see `compose_jobs`.
    """
    fixed = [str(o.input_line) for o in parsed(overrides) if not o.is_sweep_override()]
    with composing(config_dir, trusted) as one:
        sweeper: DictConfig = one(fixed).config.hydra.sweeper
        return sweeper


@contextmanager
def composing(
    config_dir: str | None, trusted: Check = check_own
) -> Iterator[Callable[[list[str]], Job]]:
    """Give a function that composes and checks the job of a list of overrides."""
    extra = [checked_search_path(config_dir)] if config_dir else []

    def one(overrides: list[str]) -> Job:
        try:
            config = compose(CONFIG_NAME, [*overrides, *extra], return_hydra_config=True)
        except UserError:
            raise
        except Exception as error:  # Hydra has many for what it cannot compose
            raise UserError(explain(error, overrides, extra)) from error
        for part in ("launcher", "sweeper", "job_logging", "hydra_logging"):
            if OmegaConf.is_missing(config.hydra, part) or config.hydra[part] is None:
                raise UserError(f"hydra/{part}: there has to be one, and it is taken away")
        # As conf/train.yaml has it; another, in a file too, would be ignored.
        node: Any = config._get_node("run_dir")
        if node is not None and node._value() != RUN_DIR:
            raise UserError("run_dir follows hydra.run.dir=FOLDER, which says where a run is")
        try:
            trusted(config)
            check_keys(config, [*overrides, *extra])
        except (HydraException, OmegaConfBaseException, RecursionError) as error:
            raise UserError(in_a_line(error)) from error
        return Job(overrides, config)

    try:
        with initialize_config_dir(str(config_folder()), version_base="1.3", job_name="train"):
            yield one
    except HydraException as error:
        raise UserError(explain(error, [], [])) from error
