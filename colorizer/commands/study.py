"""`colorizer study`: a question of experiments/ with its answer on record."""

import argparse
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from colorizer.console import say
from colorizer.errors import RunError, UserError

if TYPE_CHECKING:
    from colorizer.sweeps.study import Study


def main(arguments: Sequence[str]) -> None:
    """Run a study or go on with it; and write its records, tables and figures.

    Raises:
        UserError: see `Study.open`; or no records.
        RunError: a job failed.
    """
    options = _parser().parse_intermixed_args(arguments)
    from colorizer.sweeps.study import Study

    study = Study.open(options.study)
    say(f"{study.question}\n")
    if options.tables:
        _write_figures(study)
        return
    from colorizer.commands.train import main as train

    _check_trust(study, options.trust)
    say(f"colorizer train {shlex.join(study.command(options.overrides))}\n")
    train(study.command(options.overrides))
    if study.evaluate:
        _evaluate(study)
    if options.keep:
        _keep(study)
        _write_figures(study)


def _check_trust(study: "Study", trust: Sequence[str]) -> None:
    """Raise UserError if a study, whoever wrote it, asks for more than a training needs."""
    from functools import partial

    from colorizer.config import check_study, check_study_overrides, compose_jobs, is_search
    from colorizer.sweeps.search_space import compose_space

    check_study_overrides(study.overrides)
    trusted = partial(check_study, trust=trust)
    if is_search(study.overrides, trusted=trusted):
        compose_space(study.overrides, trusted=trusted)
    else:
        compose_jobs(study.overrides, multirun=True, trusted=trusted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "colorizer study",
        description="Run the study of experiments/NAME/study.yaml, or go on with it: a sweep in "
        "outputs/NAME.",
        epilog="examples:\n"
        "  colorizer study passthrough\n"
        "  colorizer study passthrough trainer.max_epochs=50 hydra/launcher=gpus\n"
        "  colorizer study passthrough --tables",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("study", metavar="NAME", help="below experiments/, or a folder")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="as of colorizer train")
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="also instantiate what the study names of this package",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="when all jobs are finished, replace the records, tables and figures of the study",
    )
    parser.add_argument(
        "--tables",
        action="store_true",
        help="run nothing: make the tables and figures again from the records",
    )
    return parser


def _finished(study: "Study") -> list[Path]:
    from colorizer.sweeps.plan import Sweep

    folder = Path("outputs") / study.name
    jobs, _ = Sweep(folder).read()
    left = [job for job in jobs if job.state != "finished"]
    if left:
        raise RunError(f"{len(left)} jobs of {folder} are not finished: no records were written")
    return [job.folder for job in jobs]


def _controls(study: "Study") -> Path:
    """Where the controls of a study's runs are scored."""
    return Path("outputs") / study.name / "controls"


def _evaluate(study: "Study") -> None:
    """Score the runs that these judges have not looked at, and controls of the first seed's."""
    from colorizer.commands.evaluate import main as evaluate
    from colorizer.judge import load_judges
    from colorizer.runs import open_run

    judges = load_judges()
    left, seeds = [], {}
    for folder in _finished(study):
        run = open_run(folder)
        seeds[str(folder)] = run.config.seed
        wanted = [judge.fingerprint for judge in judges if judge.data == run.results["data"]]
        if not run.evaluation or run.evaluation.about["judges"] != wanted:
            left.append(str(folder))
    first = [folder for folder, seed in seeds.items() if seed == min(seeds.values())]
    others = [folder for folder in left if folder not in first]
    if others:
        evaluate([*others, "-o", f"outputs/{study.name}/evaluation"])
    if left or not (_controls(study) / "scores.md").exists():
        evaluate([*first, "--controls", "-o", str(_controls(study))])


def _keep(study: "Study") -> None:
    from colorizer.report import keep_records, summary_of
    from colorizer.sweeps.study import RECORDS

    summary = summary_of(_finished(study))
    new = study.folder / f"{RECORDS}.new"
    shutil.rmtree(new, ignore_errors=True)
    keep_records(summary, new)
    shutil.rmtree(study.folder / RECORDS, ignore_errors=True)
    new.rename(study.folder / RECORDS)
    if study.evaluate:
        shutil.copyfile(_controls(study) / "scores.md", study.folder / "controls.md")


def _write_figures(study: "Study") -> None:
    from colorizer.report import summary_of
    from colorizer.runs import find_runs
    from colorizer.sweeps.study import RECORDS

    records = study.folder / RECORDS
    if not records.is_dir() or not find_runs(records):
        raise UserError(
            f"{records} holds no records; colorizer study {study.name} --keep makes them"
        )
    summary = summary_of([records])
    summary.write_figures(study.folder)
    say(summary.text())
    files = "table.md, table.csv, summary.csv, differences.csv, examples.png"
    say(f"\nwritten   {study.folder}: {files}")
