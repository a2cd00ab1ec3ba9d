"""Scores runs and baselines by the whole protocol: `colorizer evaluate`."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from colorizer.colorizer import Sampling
from colorizer.config import build, build_colorizer, compose_jobs, resolved
from colorizer.console import complain, say, table_heading
from colorizer.data import ColorizationData, SplitName
from colorizer.errors import UserError, first_line, nearest
from colorizer.evaluation.afc import check_enough
from colorizer.evaluation.afc import learned_2afc as learned_2afc_of
from colorizer.evaluation.fidelity import BASELINES, baseline, checked, data_of
from colorizer.evaluation.references import References, check_judges, references
from colorizer.evaluation.sanity import ALTERATIONS
from colorizer.evaluation.tables import Scoreboard
from colorizer.judge import SHIPPED, Judge, load_judges
from colorizer.metrics import PROTOCOL
from colorizer.models import Baseline
from colorizer.quiet import quiet
from colorizer.runs import BEST, LAST, REAL, Evaluation, Run, open_finished, unique_names
from colorizer.weights.files import SUFFIX, Weights, names


@dataclass
class _Entry:
    """A run that is to be scored."""

    name: str
    run: Run | Weights
    colorizer: nn.Module
    data: ColorizationData

    @property
    def at_home(self) -> bool:
        """Whether it is scored on the data that it was trained on."""
        splits: tuple[SplitName, ...] = ("train", "val", "test")
        return all(
            self.run.results[f"{split}_fingerprint"] == self.data.split(split).fingerprint
            for split in splits
        )

    @property
    def home(self) -> Run | None:
        """The run directory, where it is one that was trained on this data."""
        return self.run if isinstance(self.run, Run) and self.at_home else None

    @property
    def title(self) -> str:
        """The name, with the data that it was trained on where that is other data."""
        if self.at_home:
            return self.name
        origin = str(self.run.results["data"])
        same = origin == self.data.name
        return f"{self.name} (trained on {f'another split of {origin}' if same else origin})"


@dataclass
class _Request:
    """What the command line says of how to score."""

    split: SplitName
    weights: str
    panel: Sequence[Judge]
    own_judges: bool
    output: str | None
    learned_2afc: bool
    changes: Sequence[str]

    @property
    def standard(self) -> bool:
        """Whether it is what a run directory keeps."""
        usual = self.split == "test" and self.weights == "best"
        return usual and not self.own_judges and not self.changes

    def folder(self, entries: Sequence[_Entry], of: str | None) -> Path:
        """Where files go: apart from others where it is not what is usual, or one of several."""
        if self.output:
            place = Path(self.output)
        else:
            unusual = [
                *([self.split] if self.split != "test" else []),
                *([self.weights] if self.weights != "best" else []),
                *(["other-judges"] if self.own_judges else []),
                *(change.partition(".")[2] for change in self.changes),
                *([] if all(e.at_home for e in entries) else [f"on-{entries[0].data.name}"]),
            ]
            home = entries[0].home if len(entries) == 1 else None
            parent = home.folder if home else Path()
            place = parent / "-".join(["evaluation", *unusual])
        return place / of if of else place


def main(
    arguments: Sequence[str],
    split: SplitName = "test",
    weights: str = "best",
    trust: Sequence[str] = (),
    judges: Sequence[str] = (),
    output: str | None = None,
    learned_2afc: bool = False,
    sanity: bool = False,
) -> None:
    """Score runs and baselines, print the tables, one set for each data set, and write them.

    Args:
        arguments: run directories, names or files of weights, `model=BASELINE[,BASELINE…]`,
            overrides of the data, and changes of the runs, see `changed`.
        split: `val` or `test`.
        weights: `best` or `last`.
        trust: packages of network classes, beside the project's own.
        judges: files of judges to use in place of the package's.
        output: folder of scores.md, scores.csv, scores.json and report.html.
        learned_2afc: also train discriminators to tell outputs from real images.
        sanity: score real images with one thing wrong each in place of runs.

    Raises:
        UserError: see `open_finished`, `changed`, `data_of`, `compose_jobs`, `Judge` and
            `Gaussian.of`.
    """
    quiet()
    folders = [argument for argument in arguments if "=" not in argument or Path(argument).exists()]
    overrides = [argument for argument in arguments if argument not in folders]
    models = [override for override in overrides if override.startswith("model=")]
    chosen = [override for override in overrides if override.startswith("data=")]
    changes = [o for o in overrides if o.startswith(("model.", "representation."))]
    on_data = [override for override in overrides if override not in (*models, *changes)]
    if changes and not folders:
        raise UserError(f"{changes[0]!r}: there is no run whose model it could change")
    if sanity and (folders or models):
        raise UserError("--sanity scores altered real images: it takes overrides of the data alone")
    if not (folders or models or sanity):
        raise UserError("nothing to evaluate: name run directories, or model=gray_copy")
    files = [Path(path) for path in judges] or SHIPPED
    if sanity:
        _sanity(checked(_data(on_data)), split, load_judges(files), output)
        return

    # Every table holds all baselines: those that were asked for only add their data's table.
    places = _baseline_data(models, [] if folders and not chosen else on_data)
    runs = [_opened(folder) for folder in folders]
    titles = unique_names(runs, taken=(*BASELINES, REAL))
    shared = checked(_data(on_data)) if chosen else None
    entries = [
        _Entry(
            ", ".join([title, *changes]),
            run,
            run.colorizer(BEST if weights == "best" else LAST, trust, changes),
            shared or data_of(run, on_data, trust),
        )
        for run, title in zip(runs, titles, strict=True)
    ]
    panel = load_judges(files)
    by_data: dict[str, tuple[ColorizationData, list[_Entry]]] = {}
    for data in [] if runs else [checked(place) for place in places]:
        by_data.setdefault(data.split(split).fingerprint, (data, []))
    for entry in entries:
        by_data.setdefault(entry.data.split(split).fingerprint, (entry.data, []))[1].append(entry)
    for data, _ in by_data.values():
        if judges:
            check_judges(panel, data)
        if learned_2afc:
            check_enough(len(data.split(split)))
    for entry in entries:
        _check_size(entry)
    request = _Request(split, weights, panel, bool(judges), output, learned_2afc, changes)
    for number, (data, of_data) in enumerate(by_data.values(), start=1):
        several = f"{number}-{data.name}" if len(by_data) > 1 else None
        _evaluate(data, of_data, request, several)


def _check_size(entry: _Entry) -> None:
    size = entry.data.image_size
    try:
        with torch.inference_mode():
            entry.colorizer(torch.zeros(1, 1, size, size))
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(
            f"{entry.title} does not take {size}x{size} pixels: {first_line(error)}"
        ) from error


def _opened(which: str) -> Run | Weights:
    """A run directory, or weights by name or file."""
    if not Path(which).is_dir() and (which in names() or which.endswith(SUFFIX)):
        return Weights(which)
    if not Path(which).exists():
        raise UserError(f"there is no run, and are no weights, {which!r}.{nearest(which, names())}")
    return open_finished(which)


def _evaluate(
    data: ColorizationData, entries: Sequence[_Entry], request: _Request, several: str | None
) -> None:
    around = references(data, request.split, request.panel, _baselines(data))
    about = {**_about(around), "weights": request.weights}
    board = Scoreboard(_heading(around), around.rows)
    for entry in entries:
        started = time.perf_counter()
        evaluated, pictures = around.evaluate(entry.colorizer, entry.name)
        home = entry.home if request.standard else None
        before = home.evaluation if home else None
        if request.learned_2afc:
            evaluated.extras |= _told_apart(entry, around)
        elif before:
            kept = {k: v for k, v in before.own.extras.items() if k.startswith("afc")}
            evaluated.extras |= kept
        board.runs[entry.title] = evaluated
        board.pictures[entry.title] = pictures
        board.examples[entry.title] = around.examples(entry.colorizer)
        if isinstance(entry.colorizer, Sampling):
            board.samples[entry.title] = around.samples(entry.colorizer)
        if home:
            try:
                home.add_evaluation(Evaluation(evaluated, around.rows, about), pictures)
            except OSError as error:
                complain(f"not kept in {home.folder}: {error.strerror}")
        say(f"scored {entry.title} in {time.perf_counter() - started:.0f} s")
    _print(board, around)
    if request.output or entries:
        runs = [entry.home for entry in entries if entry.home]
        _write(board, about, request.folder(entries, several), runs)


def _write(
    board: Scoreboard, about: Mapping[str, Any], folder: Path, runs: Sequence[Run] = ()
) -> None:
    from colorizer.report.page import write_page  # plotly takes a second to import
    from colorizer.report.summary import Summary

    try:
        written = board.write(about, folder)
        write_page(Summary(runs), folder / "report.html", [board])
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror}") from error
    say("\n" + "\n".join(f"written   {path}" for path in [*written, folder / "report.html"]))


def _told_apart(entry: _Entry, around: References) -> dict[str, float]:
    """The learned 2AFC: mean and standard deviation over the seeds."""
    outputs = around.outputs(entry.colorizer, entry.name)
    percent = learned_2afc_of(outputs, around.data.split(around.split).images)
    return {"afc": statistics.fmean(percent), "afc_std": statistics.stdev(percent)}


def _sanity(
    data: ColorizationData, split: SplitName, panel: Sequence[Judge], output: str | None
) -> None:
    """Real images with one thing wrong each."""
    check_judges(panel, data)
    around = references(data, split, panel, {})
    board = Scoreboard(_heading(around), {})
    for name, alter in ALTERATIONS.items():
        board.runs[name] = around.summarised(
            lambda batch, alter=alter: alter(batch.rgb),  # type: ignore[misc]
            name,
            ["raw"],
        )
    _print(board, around)
    if output:
        _write(board, _about(around), Path(output))


def _print(board: Scoreboard, around: References) -> None:
    say(f"\n{board.text()}")
    if not around.judges:
        say(f"\nno judge knows {around.data.name}: without semantic accuracy and FD-cifar")


def _heading(around: References) -> str:
    data, about = around.data, _about(around)
    heading = table_heading(data.name, about["images"], around.split, PROTOCOL, data.caveat)
    return f"{heading}; {about['chromatic_images']:,} are chromatic"


def _about(around: References) -> dict[str, Any]:
    """What is written down of where numbers come from."""
    split = around.data.split(around.split)
    return {
        "protocol": PROTOCOL,
        "data": around.data.name,
        "split": around.split,
        "fingerprint": split.fingerprint,
        "images": len(split),
        "chromatic_images": int(around.yardstick.chromatic.sum()),
        "judges": [judge.fingerprint for judge in around.judges],
    }


def _baselines(data: ColorizationData) -> dict[str, Callable[[], nn.Module]]:
    return {name: lambda name=name: baseline(name, data) for name in BASELINES}  # type: ignore[misc]


def _data(overrides: Sequence[str]) -> ColorizationData:
    (job,) = compose_jobs(overrides)
    data: ColorizationData = build(resolved(job.config, ".").data)
    return data


def _baseline_data(models: Sequence[str], overrides: Sequence[str]) -> list[ColorizationData]:
    """The data that baselines named on the command line are to be scored on."""
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
