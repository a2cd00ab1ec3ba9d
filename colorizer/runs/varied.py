"""The settings in which runs differ."""

from collections.abc import Sequence
from typing import Any

from omegaconf import OmegaConf

from colorizer.runs.identity import INCIDENTAL, flat
from colorizer.runs.run import Run

EXPERIMENT = "experiment"


def varied_settings(runs: Sequence[Run]) -> list[dict[str, str]]:
    """For each run the settings in which the runs differ.

    A choice of a config file counts as one setting; what is below it is left to it, unless runs
    with the same choice differ there. So does a choice of an experiment, for all that follows from
    it. A key that a run does not have is blank.
    """
    if len(runs) < 2:
        return [{} for _ in runs]
    values_of = [dict(flat(OmegaConf.to_container(run.config, resolve=False))) for run in runs]
    # Hydra calls a group that was set to null "None".
    choices = [
        {group: None if name == "None" else name for group, name in chosen.items()}
        for chosen in (run.environment.get("choices", {}) for run in runs)
    ]
    varied: list[dict[str, str]] = [{} for _ in runs]

    def note(key: str, values: list[Any]) -> None:
        for settings, value in zip(varied, values, strict=True):
            settings[key] = "" if value is None else str(value)

    chosen = [
        group
        for group in sorted(set().union(*choices), key=lambda group: (group != EXPERIMENT, group))
        if group not in INCIDENTAL and len({names.get(group) for names in choices}) > 1
    ]
    experiments = EXPERIMENT in chosen

    def follows(values: Sequence[Any]) -> bool:
        return experiments and not _differs_within(EXPERIMENT, values, choices)

    for group in chosen:
        names_of = [names.get(group) for names in choices]
        if group == EXPERIMENT or not follows(names_of):
            note(group, names_of)
    # What was asked for comes first, so that what only follows from it is left out.
    asked = {
        override.lstrip("+~").partition("=")[0]
        for run in runs
        for override in run.environment.get("overrides", ())
    }
    columns: set[tuple[str, ...]] = set()
    for key in sorted(set().union(*values_of), key=lambda key: (key not in asked, key)):
        group = key.partition(".")[0]
        values = [settings.get(key) for settings in values_of]
        column = tuple(map(str, values))
        if group in INCIDENTAL or (group in chosen and not _differs_within(group, values, choices)):
            continue
        if key not in asked and follows(values):
            continue
        if len(set(column)) > 1 and column not in columns:
            columns.add(column)
            note(key, values)
    return varied


def _differs_within(
    group: str, values: Sequence[Any], choices: Sequence[dict[str, str | None]]
) -> bool:
    """True if runs that chose the same file of a group have different values."""
    found: dict[str | None, set[str]] = {}
    for value, names in zip(values, choices, strict=True):
        found.setdefault(names.get(group), set()).add(str(value))
    return any(len(texts) > 1 for texts in found.values())
