"""Runs and files of weights that are scored, on the data of their training or on other data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from omegaconf import OmegaConf
from torch import nn

from colorizer.config import (
    build,
    build_colorizer,
    build_trusted,
    compose_jobs,
    find_target,
    parameters,
    resolved,
    trusted_prefixes,
)
from colorizer.data import ColorizationData, SplitName
from colorizer.data.base import DATA_ROOT
from colorizer.errors import UserError, first_line
from colorizer.evaluation.references import BASELINES
from colorizer.models import Baseline
from colorizer.runs import CHECKPOINTS, REAL, Run, unique_names
from colorizer.weights import Weights, open_trained


@dataclass
class Subject:
    """A trained colorizer that is to be scored.

    Args:
        name: in tables.
        run: where it comes from.
        colorizer: in evaluation mode.
        data: whose images it is scored on.
    """

    name: str
    run: Run | Weights
    colorizer: nn.Module
    data: ColorizationData

    @property
    def on_own_data(self) -> bool:
        """True if it is scored on the data that it was trained on."""
        splits: tuple[SplitName, ...] = ("train", "val", "test")
        return all(
            self.run.results[f"{split}_fingerprint"] == self.data.split(split).fingerprint
            for split in splits
        )

    @property
    def own_run(self) -> Run | None:
        """The run directory, where it is one that was trained on this data."""
        return self.run if isinstance(self.run, Run) and self.on_own_data else None

    @property
    def title(self) -> str:
        """The name, with the data that it was trained on where that is other data."""
        if self.on_own_data:
            note = self.run.results.get("note")
            return f"{self.name} ({note})" if note else self.name
        origin = str(self.run.results["data"])
        same = origin == self.data.name
        return f"{self.name} (trained on {f'another split of {origin}' if same else origin})"

    def check_size(self) -> None:
        """Raise UserError if the network does not take the data's images."""
        size = self.data.image_size
        try:
            with torch.inference_mode():
                self.colorizer(torch.zeros(1, 1, size, size))
        except (TypeError, ValueError, RuntimeError) as error:
            raise UserError(
                f"{self.title} does not take {size}x{size} pixels: {first_line(error)}"
            ) from error


@dataclass
class Arguments:
    """The arguments of a command line, sorted into runs, models, changes and data.

    Args:
        runs: run directories, and names or files of weights.
        models: `model=BASELINE`.
        changes: of the runs, for what is no weight: `model.KEY=VALUE`.
        data: overrides of the data.
    """

    runs: list[str]
    models: list[str]
    changes: list[str]
    data: list[str]

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Arguments":
        """Sort the arguments of a command line."""
        runs = [
            argument for argument in arguments if "=" not in argument or Path(argument).exists()
        ]
        overrides = [argument for argument in arguments if argument not in runs]
        models = [override for override in overrides if override.startswith("model=")]
        changes = [o for o in overrides if o.startswith(("model.", "representation."))]
        data = [override for override in overrides if override not in (*models, *changes)]
        if changes and not runs:
            raise UserError(f"{changes[0]!r}: there is no run whose model it could change")
        return cls(runs, models, changes, data)


def open_subjects(
    arguments: Arguments, weights: str | None = None, trust: Sequence[str] = ()
) -> list[Subject]:
    """Open what a command line names.

    Args:
        arguments: see `Arguments`.
        weights: `best` or `last`, of unfinished runs too; None: the best of finished ones.
        trust: packages of network classes, beside the project's own.

    Raises:
        UserError: see `open_trained`, `changed`, `data_of` and `compose_jobs`.
    """
    runs = [open_trained(which, weights) for which in arguments.runs]
    titles = unique_names(runs, taken=(*BASELINES, REAL))
    chosen = any(override.startswith("data=") for override in arguments.data)
    shared = checked(compose_data(arguments.data)) if chosen else None
    return [
        Subject(
            ", ".join([title, *arguments.changes]),
            run,
            run.colorizer(CHECKPOINTS[weights or "best"], trust, arguments.changes),
            shared or data_of(run, arguments.data, trust),
        )
        for run, title in zip(runs, titles, strict=True)
    ]


def data_of(
    run: Run | Weights, overrides: Sequence[str] = (), trust: Sequence[str] = ()
) -> ColorizationData:
    """Build the data that a run was trained on, where this machine has it.

    Where that is, and whether it may be downloaded, is for the user to say, not for the run.

    Args:
        run: a finished run, or weights of one.
        overrides: such as `data.root=…`.
        trust: see `build_trusted`.

    Raises:
        UserError: an override that is not of the data, or data that is not there.
    """
    config = run.config.data.copy()
    target = str(config._target_)
    trusted = target.startswith(trusted_prefixes(trust))
    locations = find_target(target, "the run's config").location_keys if trusted else ()
    for name, value in {"root": DATA_ROOT, "download": False}.items():
        if name in config and name in locations:
            config[name] = value
    for override in overrides:
        key, _, value = override.partition("=")
        name = key.removeprefix("data.")
        known = parameters(str(config._target_), "data") or []
        if not key.startswith("data.") or name not in known:
            raise UserError(
                f"override {override!r}: with runs, only keys below 'data.' can be overridden: "
                f"{', '.join(known)}"
            )
        config = OmegaConf.merge(config, OmegaConf.from_dotlist([f"{name}={value}"]))
    return checked(build_trusted(config, trust, "data"))


def compose_data(overrides: Sequence[str]) -> ColorizationData:
    """Build the data of a command line's overrides."""
    (job,) = compose_jobs(overrides)
    data: ColorizationData = build(resolved(job.config, ".").data)
    return data


def baseline_data(models: Sequence[str], overrides: Sequence[str]) -> list[ColorizationData]:
    """Build the data that baselines named on the command line are to be scored on.

    Raises:
        UserError: a model that has to be trained first.
    """
    places = []
    for job in compose_jobs([*models, *overrides], multirun=True) if models else []:
        config = resolved(job.config, ".")
        if not isinstance(build_colorizer(config).network, Baseline):
            name = next(o.partition("=")[2] for o in job.overrides if o.startswith("model="))
            raise UserError(
                f"model={name} has to be trained first: colorizer train model={name}, then "
                f"colorizer evaluate RUN. Without training there are: {', '.join(BASELINES)}"
            )
        places.append(build(config.data))
    return places


def checked(data: ColorizationData) -> ColorizationData:
    """Return data whose files were found and are undamaged."""
    data.prepare_data()
    return data
