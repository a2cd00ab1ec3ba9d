"""Scores runs and baselines by the whole protocol: `colorizer evaluate`."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from colorizer.ceilings import REAL
from colorizer.config import build, compose_jobs, resolved
from colorizer.console import complain, say, table_heading
from colorizer.data import ColorizationData, SplitName
from colorizer.errors import UserError
from colorizer.evaluate import BASELINES, baseline, checked, data_of
from colorizer.judge import SHIPPED, Judge, load_judges
from colorizer.metrics import PROTOCOL
from colorizer.models import Baseline
from colorizer.protocol import tables
from colorizer.protocol.afc import learned_2afc as learned_2afc_of
from colorizer.protocol.evaluated import Evaluated
from colorizer.protocol.references import References, check_judges, references
from colorizer.protocol.sanity import ALTERATIONS
from colorizer.quiet import quiet
from colorizer.runs import (
    BEST,
    LAST,
    Evaluation,
    Run,
    build_colorizer,
    open_finished,
    unique_names,
)


@dataclass
class _Entry:
    """A run that is to be scored."""

    name: str
    run: Run
    colorizer: nn.Module
    data: ColorizationData

    @property
    def at_home(self) -> bool:
        """Whether it is scored on the data that it was trained on."""
        return bool(self.run.results["train_fingerprint"] == self.data.split("train").fingerprint)


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
        arguments: run directories, `model=BASELINE[,BASELINE…]`, and overrides of the data.
        split: `val` or `test`.
        weights: `best` or `last`.
        trust: packages of network classes, beside the project's own.
        judges: files of judges to use in place of the package's.
        output: folder of scores.md, scores.csv, scores.json and report.html.
        learned_2afc: also train discriminators to tell outputs from real images.
        sanity: score real images with one thing wrong each in place of runs.

    Raises:
        UserError: see `open_finished`, `data_of`, `compose_jobs`, `Judge` and `Gaussian.of`.
    """
    quiet()
    folders = [argument for argument in arguments if "=" not in argument or Path(argument).is_dir()]
    overrides = [argument for argument in arguments if argument not in folders]
    models = [override for override in overrides if override.startswith("model=")]
    chosen = [override for override in overrides if override.startswith("data=")]
    on_data = [override for override in overrides if override not in models]
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
    runs = [open_finished(folder) for folder in folders]
    names = unique_names(runs, taken=(*BASELINES, REAL))
    shared = checked(_data(on_data)) if chosen else None
    entries = [
        _Entry(
            name,
            run,
            run.colorizer(BEST if weights == "best" else LAST, trust),
            shared or data_of(run, on_data, trust),
        )
        for run, name in zip(runs, names, strict=True)
    ]
    panel = load_judges(files)
    by_data: dict[str, tuple[ColorizationData, list[_Entry]]] = {}
    for data in [] if runs else [checked(place) for place in places]:
        by_data.setdefault(data.split(split).fingerprint, (data, []))
    for entry in entries:
        by_data.setdefault(entry.data.split(split).fingerprint, (entry.data, []))[1].append(entry)
    for data, of_data in by_data.values():
        if judges:
            check_judges(panel, data)
        _evaluate(data, of_data, split, weights, panel, output, learned_2afc)


def _evaluate(
    data: ColorizationData,
    entries: Sequence[_Entry],
    split: SplitName,
    weights: str,
    panel: Sequence[Judge],
    output: str | None,
    learned_2afc: bool,
) -> None:
    around = references(data, split, panel, _baselines(data))
    rows: dict[str, Evaluated] = {}
    about = {**_about(around), "weights": weights}
    for entry in entries:
        started = time.perf_counter()
        evaluated, pictures = around.evaluate(entry.colorizer, entry.name)
        if learned_2afc:
            evaluated.extras |= _told_apart(entry, around)
        say(f"scored {entry.name} in {time.perf_counter() - started:.0f} s")
        if not entry.at_home:
            rows[f"{entry.name} (trained on {_origin(entry)})"] = evaluated
            continue
        rows[entry.name] = evaluated
        evaluation = Evaluation(evaluated, around.rows, about)
        if split == "test" and weights == "best":
            try:
                entry.run.add_evaluation(evaluation, pictures)
            except OSError as error:
                complain(f"not kept in {entry.run.folder}: {error.strerror}")
    rows = {**_before(around), **rows, REAL: around.rows[REAL]}
    _print(rows, around)
    if output or entries:
        folder = _folder(entries, output)
        try:
            written = tables.write(rows, about, folder)
            if split == "test" and weights == "best":
                written.append(_write_page(entries, folder))
        except OSError as error:
            raise UserError(f"cannot write {folder}: {error.strerror}") from error
        say("\n" + "\n".join(f"written   {path}" for path in written))


def _told_apart(entry: _Entry, around: References) -> dict[str, float]:
    """The learned 2AFC: mean and standard deviation over the seeds."""
    outputs = around.outputs(entry.colorizer, entry.name)
    percent = learned_2afc_of(outputs, around.data.split(around.split).images)
    return {"afc": statistics.fmean(percent), "afc_std": statistics.stdev(percent)}


def _sanity(
    data: ColorizationData, split: SplitName, panel: Sequence[Judge], output: str | None
) -> None:
    """Real images with one thing wrong each."""
    around = references(data, split, panel, {})
    rows = {
        name: around.summarised(lambda batch, alter=alter: alter(batch.rgb), name, ["raw"])  # type: ignore[misc]
        for name, alter in ALTERATIONS.items()
    }
    _print(rows, around)
    if output:
        written = tables.write(rows, _about(around), Path(output))
        say("\n" + "\n".join(f"written   {path}" for path in written))


def _print(rows: Mapping[str, Evaluated], around: References) -> None:
    data, about = around.data, _about(around)
    heading = table_heading(data.name, about["images"], around.split, PROTOCOL, data.caveat)
    say(f"\n{heading}; {about['chromatic_images']:,} are chromatic\n\n{tables.text(rows)}")
    if not around.judges:
        say(f"\nno judge knows {data.name}: without semantic accuracy and FD-cifar")


def _about(around: References) -> dict[str, Any]:
    """What is written down of where numbers come from."""
    split = around.data.split(around.split)
    return {
        "protocol": PROTOCOL,
        "data": around.data.name,
        "split": around.split,
        "fingerprint": split.fingerprint,
        "images": len(split),
        "chromatic_images": int(around.yardstick.subsets["chromatic"].sum()),
        "judges": [judge.fingerprint for judge in around.judges],
    }


def _write_page(entries: Sequence[_Entry], folder: Path) -> Path:
    from colorizer.report.page import write_page
    from colorizer.report.summary import Summary

    write_page(Summary([entry.run for entry in entries]), folder / "report.html")
    return folder / "report.html"


def _folder(entries: Sequence[_Entry], output: str | None) -> Path:
    if output:
        return Path(output)
    return (entries[0].run.folder if len(entries) == 1 else Path()) / "evaluation"


def _before(around: References) -> dict[str, Evaluated]:
    """The rows above the runs: the baselines and a ceiling."""
    return {name: row for name, row in around.rows.items() if name != REAL}


def _origin(entry: _Entry) -> str:
    name = str(entry.run.results["data"])
    return name if name != entry.data.name else f"another split of {name}"


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
