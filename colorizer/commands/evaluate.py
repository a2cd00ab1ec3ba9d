"""`colorizer evaluate`: scores runs and baselines side by side."""

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorizer.commands.evaluate_help import parser
from colorizer.console import complain, say, table_heading
from colorizer.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from colorizer.data import ColorizationData
    from colorizer.evaluation import References, Scoreboard
    from colorizer.evaluation.subjects import Arguments, Subject
    from colorizer.judge import Judge
    from colorizer.runs import Run


def main(arguments: Sequence[str]) -> None:
    """Score what a command line names, print the tables, one set for each data set, and write them.

    Raises:
        UserError: see `open_subjects`, `reference_rows` and `Judge`; or nothing to score.
    """
    options = parser().parse_intermixed_args(arguments)
    from colorizer.evaluation.subjects import (
        Arguments,
        baseline_data,
        checked,
        compose_data,
        open_subjects,
    )
    from colorizer.judge import SHIPPED, load_judges
    from colorizer.quiet import quiet

    quiet()
    named = Arguments.of(options.what)
    if options.sanity and (named.runs or named.models):
        raise UserError("--sanity scores altered real images: it takes overrides of the data alone")
    if not (named.runs or named.models or options.sanity):
        raise UserError("nothing to evaluate: name run directories, or model=gray_copy")
    files = [Path(path) for path in options.judge] or SHIPPED
    if options.sanity:
        _sanity(checked(compose_data(named.data)), options, load_judges(files))
        return
    # Every table holds all baselines: those that were asked for only add their data's table.
    chosen = any(override.startswith("data=") for override in named.data)
    places = baseline_data(named.models, [] if named.runs and not chosen else named.data)
    subjects = open_subjects(named, options.weights, options.trust)
    judges = load_judges(files)
    tables = _by_data(places, subjects, options.split)
    _check(tables, subjects, options, judges)
    for number, (data, of_data) in enumerate(tables, start=1):
        several = f"{number}-{data.name}" if len(tables) > 1 else None
        _evaluate(data, of_data, _Request(options, named, judges), several)


def _by_data(
    places: "Sequence[ColorizationData]", subjects: "Sequence[Subject]", split: Any
) -> "list[tuple[ColorizationData, list[Subject]]]":
    """The data sets, each with what is scored on it; without runs, those of the baselines."""
    from colorizer.evaluation.subjects import checked

    tables: dict[str, tuple[ColorizationData, list[Subject]]] = {}
    for data in [] if subjects else map(checked, places):
        tables.setdefault(data.split(split).fingerprint, (data, []))
    for subject in subjects:
        key = subject.data.split(split).fingerprint
        tables.setdefault(key, (subject.data, []))[1].append(subject)
    return list(tables.values())


def _check(
    tables: "Sequence[tuple[ColorizationData, list[Subject]]]",
    subjects: "Sequence[Subject]",
    options: argparse.Namespace,
    judges: "Sequence[Judge]",
) -> None:
    """Raise UserError for what can be told before anything is scored."""
    from colorizer.evaluation.learned_2afc import check_enough

    for data, _ in tables:
        if options.judge:
            _check_judges(judges, data)
        if options.learned_2afc:
            check_enough(len(data.split(options.split)))
    for subject in subjects:
        subject.check_size()


def _check_judges(judges: "Sequence[Judge]", data: "ColorizationData") -> None:
    for judge in judges:
        if judge.data != data.name:
            raise UserError(f"{judge.path} judges {judge.data}, not {data.name}")


class _Request:
    """The options of a command line, and the judges."""

    def __init__(
        self, options: argparse.Namespace, named: "Arguments", judges: "Sequence[Judge]"
    ) -> None:
        self.options = options
        self.changes = named.changes
        self.judges = judges

    @property
    def standard(self) -> bool:
        """True for what a run directory holds: test split, best weights, usual judges."""
        usual = self.options.split == "test" and self.options.weights != "last"
        return usual and not self.options.judge and not self.changes

    def folder(self, subjects: "Sequence[Subject]", of: str | None) -> Path:
        """The output folder; an unusual request, or one of several, has a folder of its own."""
        options = self.options
        if options.output:
            place = Path(options.output)
        else:
            unusual = [
                *([options.split] if options.split != "test" else []),
                *([options.weights] if options.weights == "last" else []),
                *(["other-judges"] if options.judge else []),
                *(change.partition(".")[2] for change in self.changes),
                *([] if all(s.on_own_data for s in subjects) else [f"on-{subjects[0].data.name}"]),
            ]
            own = subjects[0].own_run if len(subjects) == 1 else None
            place = (own.folder if own else Path()) / "-".join(["evaluation", *unusual])
        return place / of if of else place


def _evaluate(
    data: "ColorizationData", subjects: "Sequence[Subject]", request: _Request, several: str | None
) -> None:
    from colorizer.evaluation import Scoreboard, reference_rows

    options = request.options
    rows = reference_rows(data, options.split, request.judges)
    board = Scoreboard(_heading(rows), rows.rows)
    for subject in subjects:
        _score(subject, rows, board, request)
    if options.ensemble and subjects:
        title, ensemble = _ensemble(subjects)
        board.runs[title], _ = rows.score(ensemble, title)
    _print(board, rows)
    if options.output or subjects:
        runs = [subject.own_run for subject in subjects if subject.own_run]
        about = {**rows.about, "weights": options.weights or "best"}
        _write(board, about, request.folder(subjects, several), runs)


def _ensemble(subjects: "Sequence[Subject]") -> "tuple[str, Module]":
    """The mean of all colorizers, and the title of its row."""
    from colorizer.evaluation.ensemble import Ensemble

    title = subjects[0].title if len(subjects) == 1 else f"mean of {len(subjects)}"
    return f"{title}, mirrored too", Ensemble([subject.colorizer for subject in subjects]).eval()


def _score(subject: "Subject", rows: "References", board: "Scoreboard", request: _Request) -> None:
    """Score one colorizer, and keep the numbers in its run directory."""
    from colorizer.colorizer import Sampling
    from colorizer.evaluation.examples import draws_of, examples_of

    started = time.perf_counter()
    scores, pictures = rows.score(subject.colorizer, subject.name)
    own = subject.own_run if request.standard else None
    own = None if own and own.interim else own
    before = own.evaluation if own else None
    if request.options.learned_2afc:
        scores.extras |= _told_apart(rows.outputs(subject.colorizer, subject.name), rows)
    elif before:
        scores.extras |= {k: v for k, v in before.own.extras.items() if k.startswith("afc")}
    board.runs[subject.title] = scores
    board.pictures[subject.title] = pictures
    board.examples[subject.title] = examples_of(subject.colorizer, rows)
    if isinstance(subject.colorizer, Sampling):
        board.draws[subject.title] = draws_of(subject.colorizer, rows)
    _score_more(subject, rows, board, request.options)
    if own:
        try:
            own.add_evaluation(rows.record(scores), pictures)
        except OSError as error:
            complain(f"not written to {own.folder}: {error.strerror}")
    say(f"scored {subject.title} in {time.perf_counter() - started:.0f} s")


def _score_more(
    subject: "Subject", rows: "References", board: "Scoreboard", options: argparse.Namespace
) -> None:
    """Score a colorizer's draws and controls, as rows of their own."""
    from colorizer.colorizer import Sampling
    from colorizer.evaluation.controls import controls
    from colorizer.evaluation.draws import draw_rows, stored

    place = (rows.data, rows.split, rows.device)
    if options.draws and isinstance(subject.colorizer, Sampling):
        for title, images in draw_rows(subject.colorizer, *place, subject.title):
            board.runs[title] = rows.score_function(stored(images), title)
            if options.learned_2afc:
                board.runs[title].extras |= _told_apart(images, rows)
    if options.controls:
        for title, control in controls(subject.colorizer, rows.data, rows.device, subject.title):
            board.runs[title], _ = rows.score(control, title, ["raw"])


def _told_apart(outputs: "Tensor", rows: "References") -> dict[str, float]:
    """The learned 2AFC of each discriminator: mean and standard deviation over the seeds."""
    from colorizer.evaluation.learned_2afc import DISCRIMINATORS, learned_2afc

    found = {}
    for name in DISCRIMINATORS:
        percent = learned_2afc(outputs, rows.data.split(rows.split).images, name)
        found[name] = statistics.fmean(percent)
        found[f"{name}_std"] = statistics.stdev(percent)
    return found


def _sanity(
    data: "ColorizationData", options: argparse.Namespace, judges: "Sequence[Judge]"
) -> None:
    """Score real images with one thing wrong each."""
    from colorizer.evaluation import Scoreboard, reference_rows
    from colorizer.evaluation.sanity import ALTERATIONS

    _check_judges(judges, data)
    rows = reference_rows(data, options.split, judges, baselines=())
    board = Scoreboard(_heading(rows), {})
    for name, alter in ALTERATIONS.items():
        board.runs[name] = rows.score_function(
            lambda batch, alter=alter: alter(batch.rgb),  # type: ignore[misc]
            name,
            ["raw"],
        )
    _print(board, rows)
    if options.output:
        _write(board, rows.about, Path(options.output))


def _write(
    board: "Scoreboard", about: Mapping[str, Any], folder: Path, runs: "Sequence[Run]" = ()
) -> None:
    from colorizer.report.page import write_page
    from colorizer.report.summary import Summary

    try:
        written = board.write(about, folder)
        write_page(Summary(runs), folder / "report.html", [board])
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror}") from error
    say("\n" + "\n".join(f"written   {path}" for path in [*written, folder / "report.html"]))


def _print(board: "Scoreboard", rows: "References") -> None:
    say(f"\n{board.text()}")
    if not rows.judges:
        say(f"\nno judge knows {rows.data.name}: without semantic accuracy and FD-cifar")


def _heading(rows: "References") -> str:
    data, about = rows.data, rows.about
    heading = table_heading(
        data.name, about["images"], about["split"], about["protocol"], data.caveat
    )
    return f"{heading}; {about['chromatic_images']:,} are chromatic"
