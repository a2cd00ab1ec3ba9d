"""Composing, checking and instantiating configs.

`compose` makes the jobs of a command line (with `overrides`, Hydra's syntax), `keys` refuses a key
that nothing reads (`explain` words Hydra's own errors), `values` resolves and checks values, and
`build` instantiates `_target_`s.
"""

from colorizer.config.bounds import check_part
from colorizer.config.build import (
    build,
    find_target,
    targets,
)
from colorizer.config.colorizers import (
    build_colorizer,
    build_trusted,
    changed,
    trusted_prefixes,
)
from colorizer.config.compose import Job, compose_jobs, composing, is_search, sweeper_of
from colorizer.config.keys import CONFIG_NAME
from colorizer.config.overrides import parsed, quoted
from colorizer.config.signatures import parameters
from colorizer.config.trust import check_study, check_study_overrides
from colorizer.config.values import (
    SHARED,
    common_monitor,
    monitor_mode,
    resolved,
    validation_metrics,
)

__all__ = [
    "CONFIG_NAME",
    "SHARED",
    "Job",
    "build",
    "build_colorizer",
    "build_trusted",
    "changed",
    "check_part",
    "check_study",
    "check_study_overrides",
    "common_monitor",
    "compose_jobs",
    "composing",
    "find_target",
    "is_search",
    "monitor_mode",
    "parameters",
    "parsed",
    "quoted",
    "resolved",
    "sweeper_of",
    "targets",
    "trusted_prefixes",
    "validation_metrics",
]
