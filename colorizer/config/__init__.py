"""Composing, checking and instantiating configs.

Hydra composes a misspelt key in a YAML file in silence. Here every key of the composed config must
be read by something: a top-level key of `conf/train.yaml`, or a parameter of the `_target_` that
it stands under.
"""

from colorizer.config.build import (
    build,
    build_colorizer,
    build_trusted,
    changed,
    find_target,
    targets,
)
from colorizer.config.compose import Job, compose_jobs, composing, sweeper_of
from colorizer.config.keys import CONFIG_NAME, parameters
from colorizer.config.overrides import parsed, quoted
from colorizer.config.values import SHARED, common_monitor, monitor_mode, resolved

__all__ = [
    "CONFIG_NAME",
    "SHARED",
    "Job",
    "build",
    "build_colorizer",
    "build_trusted",
    "changed",
    "common_monitor",
    "compose_jobs",
    "composing",
    "find_target",
    "monitor_mode",
    "parameters",
    "parsed",
    "quoted",
    "resolved",
    "sweeper_of",
    "targets",
]
