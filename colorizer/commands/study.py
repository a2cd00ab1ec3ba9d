"""A question with its answer on record: `colorizer study`.

A study is a folder with a `study.yaml` (the question and the overrides of its sweep), a README.md
with the answer, and what `--keep` writes: slim records of the runs, tables and figures.
"""

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from colorizer.console import say
from colorizer.errors import RunError, UserError, nearest
from colorizer.report import keep_records, summary_of
from colorizer.runs import find_runs, open_run
from colorizer.sweeps.plan import Sweep

STUDIES = Path("experiments")
RUNS = "runs"


@dataclass
class Study:
    """What a study's folder says.

    Args:
        folder: named like the study.
        question: in a sentence.
        overrides: of `colorizer train -m`.
        evaluate: whether its runs are scored by the whole protocol, too.
    """

    folder: Path
    question: str
    overrides: list[str]
    evaluate: bool = False

    @property
    def name(self) -> str:
        """Of the sweep, too."""
        return self.folder.name

    def command(self, extra: Sequence[str] = ()) -> list[str]:
        """The arguments of `colorizer train` that run it."""
        return ["-m", f"study={self.name}", *self.overrides, *extra]

    @classmethod
    def open(cls, name: str) -> "Study":
        """The study of that name below experiments/, or in that folder.

        Raises:
            UserError: there is none, or its study.yaml cannot be used.
        """
        folder = next(
            (f for f in (STUDIES / name, Path(name)) if (f / "study.yaml").is_file()), None
        )
        if folder is None:
            known = [path.parent.name for path in STUDIES.glob("*/study.yaml")]
            raise UserError(
                f"there is no study {name!r}: neither {STUDIES / name}/study.yaml nor "
                f"{name}/study.yaml.{nearest(name, known)}"
            )
        path = folder / "study.yaml"
        try:
            content = OmegaConf.load(path)
        except (OSError, YAMLError, OmegaConfBaseException) as error:
            raise UserError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
        if not isinstance(content, DictConfig) or (
            set(content) - {"evaluate"} != {"question", "overrides"}
        ):
            raise UserError(
                f"{path}: it has to have a question and a list of overrides, and may have evaluate"
            )
        if not OmegaConf.is_list(content.overrides):
            raise UserError(f"{path}: overrides is a list, as of colorizer train -m")
        overrides = [str(override) for override in content.overrides]
        evaluate = bool(content.get("evaluate", False))
        return cls(folder.resolve(), str(content.question), overrides, evaluate)


def main(name: str, extra: Sequence[str], keep: bool, tables: bool) -> None:
    """Run a study or go on with it; and write its records, tables and figures.

    Args:
        name: of the study, or its folder.
        extra: more overrides, such as a launcher.
        keep: when all jobs are finished, replace the study's records, tables and figures.
        tables: run nothing: make the tables and figures again from the records.

    Raises:
        UserError: see `Study.open`; or no records.
        RunError: a job failed.
    """
    study = Study.open(name)
    say(f"{study.question}\n")
    if tables:
        _write_figures(study)
        return
    from colorizer.train import main as train

    say(f"colorizer train {shlex.join(study.command(extra))}\n")
    train(study.command(extra))
    if study.evaluate:
        _evaluate(study)
    if keep:
        _keep(study)
        _write_figures(study)


def _finished(study: Study) -> list[Path]:
    folder = Path("outputs") / study.name
    jobs, _ = Sweep(folder).read()
    left = [job for job in jobs if job.state != "finished"]
    if left:
        raise RunError(f"{len(left)} jobs of {folder} are not finished: no records were kept")
    return [job.folder for job in jobs]


def _evaluate(study: Study) -> None:
    from colorizer.commands.evaluate import main as evaluate
    from colorizer.judge import load_judges

    judges = [judge.fingerprint for judge in load_judges()]
    folders = [
        folder
        for folder in _finished(study)
        if not (found := open_run(folder).evaluation) or found.about["judges"] not in (judges, [])
    ]
    if folders:
        evaluate([str(folder) for folder in folders], output=f"outputs/{study.name}/evaluation")


def _keep(study: Study) -> None:
    summary = summary_of(_finished(study))
    new = study.folder / f"{RUNS}.new"
    shutil.rmtree(new, ignore_errors=True)
    keep_records(summary, new)
    shutil.rmtree(study.folder / RUNS, ignore_errors=True)
    new.rename(study.folder / RUNS)


def _write_figures(study: Study) -> None:
    records = study.folder / RUNS
    if not records.is_dir() or not find_runs(records):
        raise UserError(
            f"{records} holds no records; colorizer study {study.name} --keep makes them"
        )
    summary = summary_of([records])
    summary.write_figures(study.folder)
    say(summary.text())
    files = "table.md, table.csv, summary.csv, differences.csv, examples.png"
    say(f"\nwritten   {study.folder}: {files}")
