"""Hydra's overrides, as text and as Hydra understands them."""

from collections.abc import Sequence

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from colorizer.errors import UserError, in_a_line, shown


def parsed(overrides: Sequence[str]) -> list[Override]:
    """The overrides as Hydra understands them.

    Raises:
        UserError: one cannot be read.
    """
    parser = OverridesParser.create()
    found: list[Override] = []
    for override in overrides:
        try:
            found += parser.parse_overrides([override])
        except (HydraException, OmegaConfBaseException, ValueError, RecursionError) as error:
            raise UserError(f"{cited(override)} cannot be read: {in_a_line(error)}") from error
    return found


def cited(override: object) -> str:
    """An override, as a message begins with it."""
    return f"override {shown(repr(str(override)), most=200)}"


def quoted(value: str) -> str:
    """Quote a value for Hydra's override grammar."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def jobs_of(overrides: list[str]) -> list[list[str]]:
    """The jobs of a multirun, as Hydra's own sweeper makes them."""
    jobs: list[list[str]]
    for override in parsed(overrides):
        if override.is_sweep_override() and not override.is_discrete_sweep():
            raise UserError(
                f"{cited(override.input_line)}: a grid needs values, such as 0.1,0.2; "
                "hydra/sweeper=optuna searches an interval"
            )
    (jobs,) = BasicSweeper.split_arguments(parsed(overrides), max_batch_size=None)
    return jobs
