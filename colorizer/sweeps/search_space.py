"""The space of a search, in Hydra's syntax."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra.core.override_parser.types import IntervalSweep, Override

from colorizer.config import SHARED, Job, common_monitor, composing, parsed, sweeper_of
from colorizer.config.compose import Check
from colorizer.config.trust import check_own
from colorizer.errors import UserError


@dataclass
class Space:
    """The space of a search: varied and fixed settings.

    Args:
        fixed: overrides with one value.
        swept: overrides with several, by key.
        samples: the job at the first value of each, then jobs with one other value.
    """

    fixed: list[str]
    swept: dict[str, Override]
    samples: list[Job]

    @property
    def sample(self) -> Job:
        """The job at the first value of each key."""
        return self.samples[0]


def compose_space(
    overrides: Sequence[str], config_dir: str | None = None, trusted: Check = check_own
) -> Space:
    """Compose and check the space of a search; nothing is written.

    Raises:
        UserError: see `compose_jobs`; or nothing has several values, or the trials could not be
            compared.
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
    values = {key: _values_of(override) for key, override in swept.items()}
    first = {key: f"{key}={options[0]}" for key, options in values.items()}
    with composing(config_dir, trusted) as one:
        samples = [one([*fixed, *first.values()])]
        for key, options in values.items():
            for option in options[1:]:
                other = one([*fixed, *{**first, key: f"{key}={option}"}.values()])
                _check_comparable(samples[0], other, swept[key])
                samples.append(other)
    return Space(fixed, swept, samples)


def _check_comparable(one: Job, other: Job, override: Override) -> None:
    if not common_monitor([one.config, other.config]):
        raise UserError(
            f"{override.input_line}: the trials could not be compared, by {one.config.monitor} and "
            f"{other.config.monitor} of different representations or tasks; monitor={SHARED} is a "
            "metric of all"
        )


def _values_of(override: Override) -> list[str]:
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
