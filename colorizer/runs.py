"""Run directories: one training each, complete, and never written to by two.

config.yaml       the resolved config
environment.json  command line, versions, git commit, hardware, seed, threads
status.json       running, finished, failed (with the traceback), interrupted or pruned; which
                  settings and which code it is of
results.json      metrics of the weights that were scored, and what they were scored on
references.json   the baselines and the real images on the same test split
logs/metrics.csv  metrics over time
checkpoints/      best.ckpt and last.ckpt
examples/         pictures
evaluation.json   the whole protocol, where `colorizer evaluate` was asked for it; with
evaluation.npz    what of it is drawn
wandb/            the tracker's files
"""

import contextlib
import csv
import importlib.metadata
import json
import os
import platform
import shlex
import shutil
import socket
import subprocess
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from colorizer.cards import load_into
from colorizer.colorizer import Colorizer, colorizer_of
from colorizer.config import build, build_trusted, first_line, nearest, resolved
from colorizer.data.base import DATA_ROOT
from colorizer.errors import UserError
from colorizer.files import json_ready, read_json, whole, write_json
from colorizer.identity import code_fingerprint, settings_fingerprint
from colorizer.protocol.evaluated import Evaluated, Pictures

Module = TypeVar("Module", bound=torch.nn.Module)

CONFIG = "config.yaml"
ENVIRONMENT = "environment.json"
STATUS = "status.json"
RESULTS = "results.json"
REFERENCES = "references.json"
HISTORY = "logs/metrics.csv"
BEST = "checkpoints/best.ckpt"
LAST = "checkpoints/last.ckpt"
EXAMPLES = "examples/test.npz"
EVALUATION = "evaluation.json"
PICTURES = "evaluation.npz"

# The name of the real images' row, which references.json and every table end with.
REAL = "real images"

# What tables, curves and pictures are made from: all of a run but its weights.
RECORD = (
    CONFIG,
    ENVIRONMENT,
    STATUS,
    RESULTS,
    REFERENCES,
    HISTORY,
    EXAMPLES,
    EVALUATION,
    PICTURES,
)

# Of a checkout, what a run is made by.
SOURCES = ("colorizer", "conf", "hydra_plugins", "pyproject.toml")

PACKAGES = (
    "torch",
    "torchvision",
    "pytorch-lightning",
    "torchmetrics",
    "hydra-core",
    "omegaconf",
    "kornia",
    "timm",
    "wandb",
    "numpy",
)


def build_colorizer(config: DictConfig, trust: Iterable[str] | None = None) -> Colorizer:
    """The untrained colorizer of a config.

    Args:
        config: with `model` and `representation`.
        trust: for the config of a run, see `build_trusted`; None, for the user's own: anything.

    Raises:
        UserError: the network refuses its arguments, or a class is not trusted.
    """
    make = build if trust is None else partial(build_trusted, trust=trust)
    representation = make(config.representation)
    return colorizer_of(make(config.model, out_channels=representation.channels), representation)


def changed(config: DictConfig, changes: Iterable[str]) -> DictConfig:
    """A trained colorizer's config with other values for keys of its model or representation.

    Args:
        config: with `model` and `representation`.
        changes: `KEY=VALUE`, such as `model.temperature=0.5`.

    Raises:
        UserError: the config has no such key, or the value cannot be read, or it would change what
            the weights mean.
    """
    for change in changes:
        key, equals, _ = change.partition("=")
        try:
            there = OmegaConf.select(config, key, throw_on_missing=False) is not None
            if not (equals and there and key.startswith(("model.", "representation."))):
                parts = ("model", "representation")
                known = [f"{part}.{k}" for part in parts for k in config[part] if k[0] != "_"]
                raise UserError(
                    f"{change!r}: what was trained has no such key.{nearest(key, known)}"
                )
            if key.startswith("representation.") and key != "representation.temperature":
                raise UserError(
                    f"{change!r}: the weights are of {key}={OmegaConf.select(config, key)}"
                )
            merged = OmegaConf.merge(config, OmegaConf.from_dotlist([change]))
        except (OmegaConfBaseException, YAMLError) as error:
            raise UserError(f"{change!r}: {first_line(error)}") from error
        assert isinstance(merged, DictConfig)
        config = merged
    return config


# --- writing ---


class RunWriter:
    """The run directory of a training that is going on.

    Args:
        folder: made where it is missing.
        config: the resolved config, with `run_dir` pointing anywhere.
        overrides: what the command line changed.
        choices: the config file chosen in each group.

    Raises:
        UserError: the folder cannot be made, or holds another run.
    """

    def __init__(
        self,
        folder: Path,
        config: DictConfig,
        overrides: Sequence[str],
        choices: Mapping[str, str],
    ) -> None:
        self.folder = folder
        check_free(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._started = _now()
            self._identity = settings_fingerprint(config)
            # A link: whole from the first moment, and of two runs that get here at once, one finds
            # the file there.
            part = folder / f"{STATUS}.{os.getpid()}"
            part.write_text(json.dumps(self._status("running"), indent=2))
            try:
                (folder / STATUS).hardlink_to(part)
            finally:
                part.unlink()
        except FileExistsError as error:
            raise UserError(_occupied(folder)) from error
        except OSError as error:
            raise UserError(f"cannot make the run directory {folder}: {error.strerror}") from error
        try:
            (folder / CONFIG).write_text(OmegaConf.to_yaml(config))
            write_json(folder / ENVIRONMENT, environment(config, overrides, choices))
        except OSError as error:
            self.stop("failed", error)
            raise UserError(f"cannot write to {folder}: {error.strerror}") from error

    def finish(self, results: dict[str, Any], references: dict[str, Any]) -> None:
        """Write the results, where infinite values become null, and the rows to compare with."""
        write_json(self.folder / REFERENCES, references)
        write_json(self.folder / RESULTS, json_ready(results))
        write_json(self.folder / STATUS, self._status("finished"))

    def stop(self, state: str, error: BaseException) -> None:
        """Write that the run ended early: `failed`, `interrupted` or `pruned`."""
        status = self._status(state)
        status["error"] = f"{type(error).__name__}: {error}".strip(": ")
        status["traceback"] = "".join(traceback.format_exception(error))
        try:
            write_json(self.folder / STATUS, status)
        except OSError:
            # The disk is full: what takes no more room than the file that is there.
            with contextlib.suppress(OSError), (self.folder / STATUS).open("r+") as file:
                file.write(json.dumps({"state": state}))
                file.truncate()

    def saved(self) -> list[str]:
        """What is in the directory, for a message."""
        return [
            name
            for name in (CONFIG, HISTORY, BEST, LAST)
            if (self.folder / name).is_file() and (self.folder / name).stat().st_size
        ]

    def _status(self, state: str) -> dict[str, Any]:
        return {
            "state": state,
            "started": self._started,
            "updated": _now(),
            "pid": os.getpid(),
            "process": process_start(os.getpid()),
            "host": socket.gethostname(),
            "settings": self._identity,
            "code": code_fingerprint(),
        }


def check_free(folder: Path) -> None:
    """Whether a run may use a directory, without touching it.

    Raises:
        UserError: it holds another run or other files, or cannot be made or written to.
    """
    if (folder / STATUS).exists():
        raise UserError(_occupied(folder))
    if folder.is_dir() and next(folder.iterdir(), None):
        raise UserError(f"{folder} is not empty; a run needs a directory of its own")
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise UserError(f"cannot make the run directory {folder}: {existing} is not a folder")
    if not os.access(existing, os.W_OK):
        raise UserError(f"cannot make the run directory {folder}: no right to write in {existing}")


def _occupied(folder: Path) -> str:
    return f"{folder} holds another run; choose another hydra.run.dir, or remove it"


def environment(
    config: DictConfig, overrides: Sequence[str], choices: Mapping[str, str]
) -> dict[str, Any]:
    """What a run was started with and on."""
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "command": shlex.join(["colorizer", "train", *overrides]),
        "overrides": list(overrides),
        "choices": dict(choices),
        "seed": config.seed,
        "threads": torch.get_num_threads(),
        "git": git_state(),
        "colorizer": importlib.metadata.version("colorizer"),
        "packages": dict(_versions()),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": {"count": os.cpu_count(), "architecture": platform.machine()},
        "gpus": gpus,
    }


@cache
def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in PACKAGES}


@cache
def git_state() -> dict[str, Any] | None:
    """Commit of the checkout that the package is run from; None for an installed package.

    `dirty` says whether what a run is made by, code or config, differs from the commit. As it was
    when first asked for: a process goes on with the code that it has read.
    """
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {
            "commit": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", *SOURCES)),
        }
    except (OSError, subprocess.CalledProcessError):
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


# --- reading ---


@dataclass
class Run:
    """A run directory, or a record of one without its weights."""

    folder: Path
    config: DictConfig
    status: dict[str, Any]

    @property
    def state(self) -> str:
        """See `state_of`."""
        return state_of(self.status)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """See `environment`."""
        content: dict[str, Any] = read_json(self.folder / ENVIRONMENT)
        return content

    @cached_property
    def results(self) -> dict[str, Any]:
        """Flat: metric name to number, and what was scored. Empty until the run is finished."""
        path = self.folder / RESULTS
        content: dict[str, Any] = read_json(path) if path.is_file() else {}
        return content

    @cached_property
    def references(self) -> dict[str, dict[str, float | None]]:
        """The test metrics of the baselines and, last, of the real images."""
        content: dict[str, dict[str, float | None]] = read_json(self.folder / REFERENCES)
        if self.evaluation and content:
            last = content.pop(REAL)
            rows = {name: row.headline for name, row in self.evaluation.references.items()}
            names = [name for name in rows if name not in content and name != REAL]
            content = {**content, **{name: {} for name in names}, REAL: last}
            content = {name: {**rows.get(name, {}), **row} for name, row in content.items()}
        return content

    @cached_property
    def evaluation(self) -> "Evaluation | None":
        """What `colorizer evaluate` found, where it was asked."""
        path = self.folder / EVALUATION
        return Evaluation.from_json(read_json(path)) if path.is_file() else None

    def pictures(self) -> Pictures | None:
        """What of the evaluation is drawn.

        Raises:
            UserError: the file is damaged.
        """
        path = self.folder / PICTURES
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                return Pictures(**file)
        except Exception as error:
            raise UserError(f"{path} is cut short, or no pictures of an evaluation") from error

    def add_evaluation(self, evaluation: "Evaluation", pictures: Pictures) -> None:
        """Write what was found on the test split, with the weights that were chosen."""
        with whole(self.folder / PICTURES) as part, part.open("wb") as file:
            np.savez_compressed(file, **pictures._asdict())
        write_json(self.folder / EVALUATION, evaluation.to_json())
        for name in ("evaluation", "references"):
            self.__dict__.pop(name, None)

    def leave_out_evaluation(self) -> None:
        """Go on as if there were none."""
        self.evaluation = None
        self.__dict__.pop("references", None)

    def metrics(self, split: str) -> dict[str, float | None]:
        """The scores on `val` or `test`, without the split in the name."""
        return {
            name.removeprefix(f"{split}/"): value
            for name, value in self.numbers.items()
            if name.startswith(f"{split}/")
        }

    @property
    def numbers(self) -> dict[str, Any]:
        """The results, with what the whole protocol adds to them as `test/…`."""
        tested = any(name.startswith("test/") for name in self.results)
        more = self.evaluation.own.headline if tested and self.evaluation else {}
        return {**{f"test/{name}": value for name, value in more.items()}, **self.results}

    @property
    def colorizes(self) -> bool:
        """Whether it trained a colorizer, not the judge."""
        return self.config.representation is not None

    @property
    def name(self) -> str:
        """What the run is called in tables."""
        return str(self.config.name or self.folder.name)

    def history(self) -> dict[str, list[tuple[float, float]]]:
        """Every metric over time, as (epoch, value); epochs count from 1 when they are over."""
        path = self.folder / HISTORY
        curves: dict[str, list[tuple[float, float]]] = {}
        if path.is_file():
            with path.open(newline="") as file:
                for row in csv.DictReader(file):
                    for key, value in row.items():
                        if value and row.get("epoch") and key not in ("epoch", "step"):
                            point = (float(row["epoch"]) + 1, float(value))
                            curves.setdefault(key, []).append(point)
        return curves

    def colorizer(
        self, weights: str = BEST, trust: Iterable[str] = (), changes: Iterable[str] = ()
    ) -> Colorizer:
        """The trained colorizer, in evaluation mode, on the CPU.

        Args:
            weights: the checkpoint in the run directory.
            trust: packages beside the project's own that its config may instantiate from.
            changes: see `changed`.

        Raises:
            UserError: the run has no such weights, they are damaged, or its config asks for a
                class outside the trusted packages.
        """
        if not self.colorizes:
            raise UserError(f"{self.folder} is a run of a judge, not of a colorizer")
        config = changed(self.config, changes)
        made = self.loaded(lambda: build_colorizer(config, trust), "colorizer", weights)
        return made.eval()

    def loaded(self, make: Callable[[], Module], part: str, weights: str = BEST) -> Module:
        """What was trained, with its weights, on the CPU.

        Args:
            make: builds it untrained.
            part: of the task, see `read_weights`.
            weights: the checkpoint in the run directory.

        Raises:
            UserError: the run has no such weights, or they are damaged or of another network.
        """
        path = self.folder / weights
        if not path.is_file():
            raise UserError(f"{self.folder} has no {weights}: it is a record without weights")
        module = make()
        mistake = f"{path} holds another network than {CONFIG} describes"
        load_into(module, read_weights(path, part), mistake)
        return module

    def add_test(
        self, scores: Mapping[str, float | None], references: dict[str, dict[str, float | None]]
    ) -> None:
        """Write the test scores of a finished run that was trained without.

        Args:
            scores: without the split in the name.
            references: see `references`.
        """
        tested = {f"test/{name}": value for name, value in scores.items()}
        write_json(self.folder / REFERENCES, references)
        write_json(self.folder / RESULTS, json_ready({**self.results, **tested}))

    def copy_record(self, folder: Path) -> None:
        """Copy all but the weights and the tracker's files.

        Raises:
            UserError: the folder holds another run.
        """
        check_free(folder)
        for name in RECORD:
            if (self.folder / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.folder / name, folder / name)
        # The process and the machine that it ran on say nothing to others.
        local = ("host", "pid", "process", "traceback", "platform")
        for name, content in ((STATUS, self.status), (ENVIRONMENT, self.environment)):
            kept = {key: value for key, value in content.items() if key not in local}
            write_json(folder / name, kept)


@dataclass
class Evaluation:
    """A run under the whole protocol.

    Args:
        own: its numbers.
        references: those of the baselines, a ceiling and, last, the real images.
        about: what was scored, and by which judges.
    """

    own: Evaluated
    references: dict[str, Evaluated]
    about: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it is written down."""
        rows = {name: row.to_json() for name, row in self.references.items()}
        return {**self.about, "own": self.own.to_json(), "references": rows}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Evaluation":
        """What `to_json` gave."""
        rows = {k: Evaluated.from_json(v) for k, v in content.pop("references").items()}
        return cls(Evaluated.from_json(content.pop("own")), rows, content)


def state_of(status: Mapping[str, Any]) -> str:
    """What became of a run, by its status.

    `running`, `finished`, `failed`, `interrupted`, `pruned`, or `died`: running without a process.
    """
    state = str(status["state"])
    pid = status.get("pid")
    if state == "running" and pid and status.get("host") == socket.gethostname():
        return state if process_lives(int(pid), status.get("process")) else "died"
    return state


def process_lives(pid: int, began: str | None = None) -> bool:
    """Whether there is such a process on this machine; a zombie is none.

    Args:
        pid: its number.
        began: see `process_start`; None where that is not known.
    """
    fields = _process_fields(pid)
    if fields:
        return fields[0] != "Z" and began in (None, fields[19])
    if Path("/proc/self/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def process_start(pid: int) -> str | None:
    """When a process began, in ticks since the machine did: a number may belong to another later.

    None where the system does not tell.
    """
    fields = _process_fields(pid)
    return fields[19] if fields else None


def _process_fields(pid: int) -> list[str]:
    """What the system says of a process, from its state on; empty where it says nothing."""
    try:
        # "PID (NAME) STATE ..."; a name may hold anything but the last parenthesis.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def read_status(folder: Path) -> dict[str, Any] | None:
    """The status of a run directory alone, which is quick; None where there is no run (yet).

    Raises:
        UserError: the file is damaged.
    """
    if not (folder / STATUS).is_file():
        return None
    content: dict[str, Any] = read_json(folder / STATUS)
    if "state" not in content:
        raise UserError(f"{folder / STATUS} cannot be read: it has no state")
    return content


def read_weights(path: Path, part: str) -> dict[str, torch.Tensor]:
    """What was trained, from a checkpoint, without executing anything in it.

    Args:
        path: the checkpoint.
        part: of the task, such as `colorizer`.

    Raises:
        UserError: the file is damaged, or no checkpoint.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    except Exception as error:
        raise UserError(f"{path} is cut short or not a checkpoint: it cannot be read") from error
    prefix = f"{part}."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def open_run(folder: str | Path) -> Run:
    """Open a run directory; nothing else reads one.

    Raises:
        UserError: it is not a run, or is damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "it is a file" if folder.exists() else "there is no such folder"
        raise UserError(f"{folder} is not a run: {what}")
    for name in (CONFIG, STATUS):
        if not (folder / name).is_file():
            inside = find_runs(folder)
            hint = f"; there are runs below it, such as {inside[0]}" if inside else ""
            raise UserError(f"{folder} is not a run: it has no {name}{hint}")
    try:
        config = OmegaConf.load(folder / CONFIG)
        status = read_json(folder / STATUS)
        if not isinstance(config, DictConfig) or "state" not in status:
            raise ValueError
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{folder} is a damaged run: {CONFIG} cannot be read") from error
    run = Run(folder, config, status)
    if run.state == "finished" and not {"data", "protocol", "test_fingerprint"} <= set(run.results):
        raise UserError(f"{folder} is a damaged run: it is finished, but {RESULTS} is not whole")
    return run


def open_finished(folder: str | Path) -> Run:
    """`open_run` for commands that need the results.

    Raises:
        UserError: also when the run is not finished.
    """
    run = open_run(folder)
    if run.state != "finished":
        what = {
            "running": "is still running",
            "died": "ended without a word (killed?)",
            "interrupted": "was interrupted",
        }.get(run.state, run.state)
        said = f" ({run.status['error']})" if run.status.get("error") else ""
        raise UserError(f"{folder} is not a finished run: it {what}{said}")
    return run


class Named(Protocol):
    """What has a name, and a place that tells it from another of that name."""

    @property
    def name(self) -> str:
        """Settings, separated by commas."""

    @property
    def folder(self) -> Path:
        """Where it is."""


def unique_names(runs: Sequence[Named], taken: Iterable[str] = ()) -> list[str]:
    """Names for a table, without what all runs share; what is still the same gets its folder.

    Args:
        runs: of one table.
        taken: names of its other rows.
    """
    parts = [run.name.split(", ") for run in runs]
    shared = set.intersection(*(set(part) for part in parts)) if len(runs) > 1 else set()
    names = [
        ", ".join(part for part in own if part not in shared) or run.name
        for run, own in zip(runs, parts, strict=True)
    ]
    places = distinct_suffixes([run.folder for run in runs])
    twice = {name for name in names if names.count(name) > 1} | set(taken)
    return [
        f"{name} ({place})" if name in twice else name
        for name, place in zip(names, places, strict=True)
    ]


def distinct_suffixes(folders: Sequence[Path]) -> list[str]:
    """The shortest endings of some different paths that tell them apart: `a/0` and `b/0`."""
    parts = [folder.absolute().parts for folder in folders]
    length = 1
    while len({part[-length:] for part in parts}) < len(set(parts)):
        length += 1
    return ["/".join(part[-length:]) for part in parts]


def superseded(runs: Iterable[Run]) -> set[Path]:
    """The runs of a sweep that were begun again: of the same settings, an older one beside it."""
    newest: dict[tuple[Path, str], Run] = {}
    older = set()

    def order(run: Run) -> tuple[str, int]:
        name = run.folder.name
        return run.status.get("started", ""), int(name) if name.isdecimal() else -1

    for run in sorted(runs, key=order):
        key = (run.folder.absolute().parent, run.status.get("settings", ""))
        if run.folder.name.isdecimal() and key[1]:
            if key in newest:
                older.add(newest[key].folder)
            newest[key] = run
    return older


def find_runs(folder: Path) -> list[Path]:
    """The run directories in a folder, itself included, at any depth."""
    return sorted(path.parent for path in folder.rglob(STATUS) if (path.parent / CONFIG).is_file())


def recorded(config: DictConfig) -> DictConfig:
    """The config as it is written down: resolved, but for what belongs to this machine.

    `run_dir` becomes `.`, so that a run can be moved; `data.root` becomes where any machine looks,
    so that it can be scored elsewhere. What ties a trial to its search is left out.
    """
    content: Any = OmegaConf.to_container(resolved(config, "."))
    (content["callbacks"] or {}).pop("pruning", None)
    if "root" in content["data"]:
        content["data"]["root"] = DATA_ROOT
    return OmegaConf.create(content)
