"""Races between the trials of a search, and searches for several objectives."""

import fcntl
import json
import shutil
from pathlib import Path

import pytest

from colorizer.runs import find_runs, open_run
from colorizer.sweeps.race import Race, verdict
from colorizer.sweeps.search import Search
from tests.conftest import JOB, Here

SEARCH = ("train", "-m", "study=lr", "hydra/sweeper=optuna", *JOB, "hydra.sweeper.sampler=random")
SPACE = ("optimizer.lr=choice(1e-4,9e-5,8e-5,1e-6)", "hydra.sweeper.n_trials=6")
RACE = (*SEARCH, *SPACE, "hydra.sweeper.seeds=3", "hydra.sweeper.pruner=none")
FOLDER = Path("outputs") / "lr"


def results(folder: Path) -> dict[str, dict[str, float]]:
    """Of every run below a folder, what does not depend on the time it took."""
    return {
        str(path.relative_to(folder)): {
            k: v for k, v in open_run(path).results.items() if k.startswith(("val/", "test/"))
        }
        for path in find_runs(folder)
    }


def test_the_best_trials_are_raced_over_seeds(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(*RACE) == 0
    printed = capsys.readouterr().out
    raced = find_runs(FOLDER / "seeds")
    # The best two of six, no settings twice, with the two seeds after the search's own.
    search = Search.open(FOLDER)
    rates = [trial.params["optimizer.lr"] for trial in search.ranked()]
    best = {search.ranked()[rates.index(rate)].number for rate in list(dict.fromkeys(rates))[:2]}
    assert len(best) == 2
    assert {(int(f.parent.name), int(f.name)) for f in raced} == {
        (seed, number) for seed in (1, 2) for number in best
    }
    for folder in raced:
        run, trial = open_run(folder), open_run(FOLDER / folder.name)
        assert run.config.seed == int(folder.parent.name)
        assert run.config.optimizer == trial.config.optimizer
        assert run.results["val/mse"] != trial.results["val/mse"]

    # The winner, with its doubt; it alone is tested, with each of its seeds.
    racers = Race(search).racers()
    assert verdict(racers) in printed
    assert f"trial {racers[0].trial.number} is the best with probability" in printed
    tested = {f for f in find_runs(FOLDER) if open_run(f).metrics("test")}
    number = str(racers[0].trial.number)
    assert tested == {FOLDER / number, *(FOLDER / "seeds" / s / number for s in "12")}
    assert "Race over seeds: trial " in (FOLDER / "report.html").read_text()

    # The same command runs nothing again, and what is missing it does.
    before = results(FOLDER)
    shutil.rmtree(FOLDER / "seeds" / "2" / number)
    written = {f: (f / "results.json").stat().st_mtime_ns for f in raced if f.exists()}
    assert here(*RACE) == 0
    assert results(FOLDER) == before
    kept = {f: (f / "results.json").stat().st_mtime_ns for f in written}
    assert kept == written

    # A seed more goes on with the same runs; somebody else may be at it.
    with (FOLDER / ".racing").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert here(*RACE, "hydra.sweeper.seeds=4") == 0
    assert "another process runs the race" in capsys.readouterr().err
    assert not (FOLDER / "seeds" / "3").exists()


@pytest.mark.slow
def test_a_run_of_the_race_that_crashes_is_out_and_named(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(*RACE) == 0
    number = Search.open(FOLDER).ranked()[0].number
    status = FOLDER / "seeds" / "2" / str(number) / "status.json"
    content = json.loads(status.read_text())
    status.write_text(json.dumps({**content, "state": "failed", "error": "OSError: no more"}))
    capsys.readouterr()
    assert here(*RACE) == 1
    printed = capsys.readouterr()
    assert f"trial {number} with seed 2 failed: OSError: no more" in printed.err
    winner = Race(Search.open(FOLDER)).racers()[0].trial.number
    assert winner != number


def test_several_objectives(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    objectives = "hydra.sweeper.objectives=[val/mse,parameters]"
    space = ("model=linear,cnn", "optimizer.lr=choice(1e-4,1e-5)", "hydra.sweeper.n_trials=6")
    job = [part for part in SEARCH if part != "model=linear"]
    assert here(*job, *space, objectives) == 0
    printed = capsys.readouterr().out
    search = Search.open(FOLDER)
    assert [d.name for d in search.study.directions] == ["MINIMIZE", "MINIMIZE"]
    front = search.front()
    assert front
    values = {trial.number: trial.values for trial in search.ranked()}
    for number, (error, size) in values.items():
        beaten = any(e < error and s < size for e, s in values.values())
        assert not (beaten and number in {trial.number for trial in front})
    assert "no trial is better in all of these than one of" in printed
    tested = {int(f.name) for f in find_runs(FOLDER) if open_run(f).metrics("test")}
    assert tested == {trial.number for trial in front}
    assert "Pareto front" in (FOLDER / "report.html").read_text()
    assert here(*job, *space) == 2
    assert "holds a search for val/mse and parameters, not val/mse" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["hydra.sweeper.seeds=0"], "hydra.sweeper.seeds=0: a whole number from 1"),
        (["hydra.sweeper.seeds=2"], "hydra.sweeper.seeds=2: 1, or from 3 on"),
        (["hydra.sweeper.seeds=3", "seed=0,1"], "seed has one value then"),
        (["hydra.sweeper.objectives=[val/mse]"], "two metrics or more"),
        (["hydra.sweeper.objectives=val/mse"], "two metrics or more"),
        (["hydra.sweeper.objectives=[val/mse,val/mse]"], "two metrics or more"),
        (["hydra.sweeper.objectives=[val/mse,train/secnds]"], "Did you mean 'train/seconds'?"),
        (["hydra.sweeper.objectives=[val/mse,test/mse]"], "test/mse is no validation metric"),
        (
            ["hydra.sweeper.objectives=[val/mse,parameters]", "hydra.sweeper.seeds=3"],
            "hydra.sweeper.seeds=3: not with several objectives",
        ),
        (
            ["hydra.sweeper.objectives=[val/mse,parameters]", "hydra.sweeper.pruner=median"],
            "hydra.sweeper.pruner=median: not with several objectives",
        ),
    ],
)
def test_settings_that_cannot_be(
    here: Here, capsys: pytest.CaptureFixture[str], overrides: list[str], message: str
) -> None:
    assert here(*SEARCH, "optimizer.lr=1e-4,1e-5", *overrides) == 2
    assert message in capsys.readouterr().err
    assert not FOLDER.exists()
