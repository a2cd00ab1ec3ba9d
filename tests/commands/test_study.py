"""Studies: a question, its sweep, and tables made from records."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from colorizer.config import compose_jobs
from colorizer.runs import find_runs, open_run
from colorizer.sweeps.study import Study
from tests.conftest import JOB, Here

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
STUDIES = sorted(path.parent for path in EXPERIMENTS.glob("*/study.yaml"))


def write_study(folder: Path, *overrides: str, evaluate: bool = False) -> Path:
    folder.mkdir(parents=True)
    lines = ["question: Does it work?", "overrides:", *(f"  - {o!r}" for o in overrides)]
    lines += ["evaluate: true"] * evaluate
    (folder / "study.yaml").write_text("\n".join(lines))
    return folder


def test_it_runs_is_kept_and_makes_its_tables_again(
    here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_study(tmp_path / "experiments" / "mine", *JOB, "optimizer.lr=1e-5,1e-4")
    assert here("study", "mine", "seed=0,1", "--keep") == 0
    printed = capsys.readouterr().out
    assert "Does it work?" in printed
    assert "colorizer train -m study=mine data=photos" in printed
    records = find_runs(study / "runs")
    assert len(records) == 4
    assert {open_run(path).config.group for path in records} == {"mine"}
    names = sorted(open_run(path).config.name for path in records)
    assert names == [f"lr={lr}, seed={seed}" for lr in ("0.0001", "1e-05") for seed in (0, 1)]
    table = (study / "table.md").read_text()

    # From the records alone.
    shutil.rmtree(tmp_path / "outputs")
    (study / "table.md").unlink()
    assert here("study", "mine", "--tables") == 0
    assert (study / "table.md").read_text() == table
    assert (study / "summary.csv").is_file()
    assert (study / "examples.png").is_file()


def test_a_study_under_the_whole_protocol(here: Here, tmp_path: Path) -> None:
    study = write_study(tmp_path / "experiments" / "mine", *JOB, "seed=0,1", evaluate=True)
    assert here("study", "mine", "--keep") == 0
    assert all(open_run(path).evaluation for path in find_runs(study / "runs"))
    assert "ΔCF" in (study / "table.md").read_text()
    assert "input's luminance put back" in (study / "protocol.md").read_text()
    controls = (study / "controls.md").read_text()
    assert "seed=0 × 1.5" in controls
    assert "seed=1" not in controls
    for picture in ("ab.png", "extremes.png"):
        with Image.open(study / picture) as image:
            assert min(image.size) > 100


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("question: Why?\n", "it has to have a question and a list of overrides"),
        ("question: Why?\noverrides: model=cnn\n", "overrides is a list"),
        ("question: [", "study.yaml:2:1: "),
    ],
)
def test_a_study_that_cannot_be_used(
    here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    (tmp_path / "experiments" / "mine").mkdir(parents=True)
    (tmp_path / "experiments" / "mine" / "study.yaml").write_text(content)
    assert here("study", "mine") == 2
    assert message in capsys.readouterr().err


def test_no_such_study_and_no_records(
    here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(tmp_path / "experiments" / "passthrough", "seed=0,1")
    assert here("study", "pasthrough") == 2
    assert "Did you mean 'passthrough'?" in capsys.readouterr().err
    assert here("study", "passthrough", "--tables") == 2
    assert "holds no records" in capsys.readouterr().err


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
def test_the_studies_on_record(folder: Path) -> None:
    """Each says what it asks, was run as it says, over 3 seeds, and its README has its table."""
    study = Study.open(str(folder))
    jobs = compose_jobs(study.command()[1:], multirun=True)
    runs = [open_run(path) for path in find_runs(folder / "runs")]
    assert len(runs) == len(jobs)
    for run in runs:
        assert run.state == "finished"
        assert run.environment["git"] is not None
        assert run.results["data"] == "cifar10"
        assert run.results["test_images"] == 10_000

    def settings(overrides: list[str]) -> set[str]:
        # Names, and how the machine at hand computed it.
        ignored = (
            "study=",
            "group=",
            "name=",
            "hydra.",
            "threads=",
            "logger=",
            "trainer.precision=",
        )
        return {o.lower() for o in overrides if not o.startswith(ignored)}

    asked = sorted(sorted(settings(job.overrides)) for job in jobs)
    assert asked == sorted(sorted(settings(run.environment["overrides"])) for run in runs)
    assert {run.config.seed for run in runs} == {0, 1, 2}
    readme = (folder / "README.md").read_text()
    for line in (folder / "table.md").read_text().splitlines():
        assert line in readme
    assert f"colorizer study {study.name}" in readme
    assert re.search(r"\*\*Answer\.\*\*", readme)
