"""A search with Optuna, as a user meets it."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import optuna
import pytest
import pytorch_lightning as pl
from pytorch_lightning.trainer.states import TrainerFn

from colorizer.config import parsed
from colorizer.errors import Pruned, UserError
from colorizer.runs import find_runs, open_run
from colorizer.sweeps.pruning import Pruning
from colorizer.sweeps.search import Search
from colorizer.sweeps.search_results import importances, search_text
from colorizer.sweeps.search_settings import SearchSettings, distribution, make_pruner
from tests.commands.test_train import wandb_summary
from tests.conftest import JOB, Here
from tests.slurm import free_ports
from tests.sweeps.test_grid import start, wait_for

SEARCH = ("train", "-m", "study=lr", "hydra/sweeper=optuna", *JOB)
FOLDER = Path("outputs") / "lr"


def trials(folder: Path) -> list[optuna.trial.FrozenTrial]:
    found: list[optuna.trial.FrozenTrial] = Search.open(folder).study.get_trials()
    return found


def test_a_search_is_pruned_resumed_and_tested_once(
    here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two rates that learn and one that does not, which the pruner finds out."""
    space = (
        "trainer.max_epochs=4",
        "logger=wandb",
        "optimizer.lr=choice(1e-4,5e-5,1e-12)",
        "hydra.sweeper.sampler=random",
        "hydra.sweeper.startup_trials=1",
    )
    assert here(*SEARCH, *space, "hydra.sweeper.n_trials=3") == 0
    capsys.readouterr()
    best = Search.open(FOLDER).best()
    assert best is not None
    assert open_run(best).metrics("test")

    # A trial that a killed process left behind is gone on with.
    study = Search.open(FOLDER).study
    study.ask().set_user_attr("owner", ["elsewhere", 1, None])
    abandoned = study.ask()
    abandoned.set_user_attr("owner", [os.uname().nodename, 2**22 + 1, None])
    assert here(*SEARCH, *space, "hydra.sweeper.n_trials=8") == 0
    printed = capsys.readouterr()
    found = trials(FOLDER)
    # The one elsewhere among them, and the abandoned one.
    assert len(found) == 8
    assert found[abandoned.number].state.name in ("COMPLETE", "PRUNED")
    learned = [trial for trial in found if trial.state.name == "COMPLETE"]
    pruned = [trial for trial in found if trial.state.name == "PRUNED"]
    assert learned
    assert pruned
    assert {trial.params["optimizer.lr"] for trial in pruned} >= {"1e-12"}

    # Pruned in the run directory and in W&B, which it is no failure for.
    run = FOLDER / str(pruned[0].number)
    assert open_run(run).state == "pruned"
    assert open_run(run).status["error"].startswith("Pruned: after epoch ")
    assert open_run(run).config.logger.wandb.job_type == "trial"
    summary = wandb_summary(run)
    assert summary["exit_code"] == 0
    assert summary["summary"]["state"] == "pruned"
    assert "pruned" in summary["tags"]

    # Somebody else's trial is still running, so nothing more was tested.
    tested = [path for path in find_runs(FOLDER) if open_run(path).metrics("test")]
    assert tested == [best]
    assert "the best again: colorizer train data=photos model=linear" in printed.out


def test_the_best_again_repeats_it(
    here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = ("optimizer.lr=tag(log, interval(1e-6,1e-3))", "model=linear,cnn")
    assert here(*SEARCH, *space, "hydra.sweeper.n_trials=3", "hydra.sweeper.pruner=none") == 0
    printed = capsys.readouterr().out
    assert "3 trials in outputs/lr: 3 complete" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("the best again: ")]
    command = shlex.split(line.removeprefix("the best again: "))
    best = Search.open(FOLDER).best()
    assert best is not None
    assert here(*command[1:], "hydra.run.dir=again") == 0
    first, again = open_run(best).results, open_run("again").results
    assert {k: v for k, v in first.items() if k.startswith(("val/", "test/"))} == {
        k: v for k, v in again.items() if k.startswith(("val/", "test/"))
    }
    # The trials' names hold what was tried; the page has Optuna's plots.
    assert {open_run(f).config.name.split(", ")[0] for f in find_runs(FOLDER)} >= {
        open_run(best).config.name.split(", ")[0]
    }
    page = (FOLDER / "report.html").read_text()
    assert "Optimization History Plot" in page


def test_a_trial_that_crashes_is_failed_and_the_others_go_on(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    space = ("loss.weights.mse=1e39,1", "hydra.sweeper.sampler=random", "hydra.sweeper.n_trials=4")
    assert here(*SEARCH, *space) == 1
    printed = capsys.readouterr()
    states = {trial.params["loss.weights.mse"]: trial.state.name for trial in trials(FOLDER)}
    assert states == {"1e+39": "FAIL", "1": "COMPLETE"}
    assert "failed: RunError: the loss is not finite" in printed.err
    assert "trials failed" in printed.err
    assert len(trials(FOLDER)) == 4


def test_several_processes_on_one_study(tmp_path: Path) -> None:
    arguments = (
        *SEARCH, "optimizer.lr=tag(log, interval(1e-6,1e-3))", "hydra.sweeper.n_trials=5",
    )  # fmt: skip
    processes = [start(tmp_path, *arguments) for _ in range(2)]
    printed = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    found = trials(tmp_path / FOLDER)
    assert len(found) == 5
    assert len({tuple(trial.user_attrs["owner"]) for trial in found}) == 2
    tested = [p for p in find_runs(tmp_path / FOLDER) if open_run(p).metrics("test")]
    assert tested == [Search.open(tmp_path / FOLDER).best()]


def test_an_interrupted_search_goes_on(tmp_path: Path, here: Here) -> None:
    arguments = (
        *SEARCH, "optimizer.weight_decay=0,0.1", "hydra.sweeper.n_trials=2",
        "trainer.max_epochs=100000",
    )  # fmt: skip
    process = start(tmp_path, *arguments)
    try:
        wait_for(process, tmp_path / FOLDER / "0" / "checkpoints" / "best.ckpt")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "the same command goes on from there" in err
    assert [trial.state.name for trial in trials(tmp_path / FOLDER)] == ["RUNNING"]
    assert Search.open(tmp_path / FOLDER)._abandoned() == [0]


def test_a_trial_is_the_same_wherever_its_process_was_killed(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the states of the journal that a process can have left, with half a line more."""
    space = ("model=linear,cnn", "optimizer.lr=interval(1e-6,1e-3)", "seed=0,1")
    assert here(*SEARCH, *space, "hydra.sweeper.n_trials=2", "hydra.sweeper.pruner=none") == 0
    monkeypatch.setattr("colorizer.sweeps.search.process_lives", lambda pid, start: False)
    journal = FOLDER / "optuna.journal"
    before = journal.read_bytes()

    def drawn() -> list[dict[str, object]]:
        search = Search.open(FOLDER)
        search._next(2, {key: distribution(o) for key, o in search.parsed_space().items()})
        return [trial.params for trial in trials(FOLDER)]

    whole = drawn()
    assert len(whole) == 4
    lines = journal.read_bytes()[len(before) :].splitlines(keepends=True)
    for number, line in enumerate(lines):
        journal.write_bytes(before + b"".join(lines[:number]) + line[: len(line) // 2])
        assert drawn() == whole


def test_a_trial_that_goes_on_is_pruned_where_it_would_have_been(here: Here) -> None:
    """It comes by epochs again at which the search has heard of later ones."""
    assert here(*SEARCH, "seed=0,1", "hydra.sweeper.n_trials=1") == 0
    study = Search.open(FOLDER).study
    better = {1: 3.0, 2: 2.0, 3: 1.0}
    study.add_trial(optuna.create_trial(value=1.0, intermediate_values=better))
    trial = study.ask()
    own = {1: 2.5, 2: 1.9, 3: 1.8}
    for epoch, value in own.items():  # killed before it was pruned for the third
        trial.report(value, epoch)
    pruning = Pruning(str(FOLDER), trial.number, "val/mse", "median", startup_trials=1)

    pruning.on_fit_start(cast(Any, SimpleNamespace(max_epochs=9)), pl.LightningModule())

    def validate(epoch: int) -> None:
        trainer: Any = SimpleNamespace(
            state=SimpleNamespace(fn=TrainerFn.FITTING),
            current_epoch=epoch - 1,
            max_epochs=9,
            callback_metrics={"val/mse": own[epoch]},
        )
        pruning.on_validation_end(trainer, pl.LightningModule())

    validate(1)
    validate(2)
    with pytest.raises(Pruned, match="after epoch 3"):
        validate(3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("optimizer.lrr=interval(0,1)",), "nothing reads the key 'lrr'"),
        (("model=choice(linear,lineer)",), "model has no 'lineer'. Did you mean 'linear'?"),
        (("seed=0,1", "monitor=val/msee"), "monitor=val/msee: not a metric to choose by"),
        (("seed=0,1", "monitor=test/mse"), "val/psnr"),
        (("seed=0,1", "hydra.sweeper.sampler=best"), "hydra.sweeper.sampler=best: there is tpe"),
        (("seed=0,1", "hydra.sweeper.n_trials=0"), "n_trials=0: a whole number from 1"),
        (("seed=range(0)",), "is empty"),
        (("seed=1",), "nothing to search"),
        (
            ("task=flow_matching", "representation.scales.0=interval(0.05,0.07)"),
            "could not be compared, by val/velocity_mse and val/velocity_mse of different",
        ),
        (("optimizer.lr=tag(log, interval(0,1))",), "optimizer.lr"),
    ],
)
def test_mistakes(
    here: Here,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert here(*SEARCH, *arguments) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert 1 <= len(printed.strip().splitlines()) <= 2, printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("optimizer.lr=interval(1e-6,1e-2)",), "optimizer.lr=interval(1e-6,1e-4), not"),
        (("optimizer.lr=interval(1e-6,1e-4)", "data.flip=false"), "with data.flip=True, not"),
        (("optimizer.lr=interval(1e-6,1e-4)", "monitor=val/psnr"), "val/mse"),
    ],
)
def test_another_search_in_the_same_folder_is_refused(
    here: Here, capsys: pytest.CaptureFixture[str], change: tuple[str, ...], message: str
) -> None:
    first = "optimizer.lr=interval(1e-6,1e-4)"
    assert here(*SEARCH, first, "hydra.sweeper.n_trials=1") == 0
    before = {p: p.stat().st_mtime_ns for p in FOLDER.rglob("*") if p.is_file()}
    capsys.readouterr()
    assert here(*SEARCH, *change) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert "study=NAME" in printed
    assert {p: p.stat().st_mtime_ns for p in FOLDER.rglob("*") if p.is_file()} == before


def test_the_old_sweeper_is_refused(tmp_path: Path) -> None:
    """A package of its name is enough: it is what Hydra would find."""
    (tmp_path / "hydra_plugins" / "hydra_optuna_sweeper").mkdir(parents=True)
    (tmp_path / "hydra_plugins" / "hydra_optuna_sweeper" / "__init__.py").touch()
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.run(
        ["python", "-m", "colorizer", *SEARCH, "seed=0,1"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PATH": path_of_python()},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2, process.stderr
    assert "pip uninstall hydra-optuna-sweeper" in process.stderr
    assert not (tmp_path / "outputs").exists()


def path_of_python() -> str:
    import sys

    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("interval(0.1,1)", optuna.distributions.FloatDistribution(0.1, 1)),
        ("tag(log, interval(1e-4,1e-2))", optuna.distributions.FloatDistribution(1e-4, 1e-2, True)),
        ("int(interval(1,8))", optuna.distributions.IntDistribution(1, 8)),
        ("range(16,65,16)", optuna.distributions.IntDistribution(16, 64, step=16)),
        ("a,b", optuna.distributions.CategoricalDistribution(["a", "b"])),
        ("choice([1,2],[3])", optuna.distributions.CategoricalDistribution(["[1,2]", "[3]"])),
    ],
)
def test_the_space_is_hydras_syntax(
    text: str, expected: optuna.distributions.BaseDistribution
) -> None:
    assert distribution(parsed([f"key={text}"])[0]) == expected


def test_settings_are_checked() -> None:
    with pytest.raises(UserError, match="startup_trials=-1"):
        SearchSettings(startup_trials=-1)
    assert json.dumps(SearchSettings().n_trials) == "20"


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_hyperband_prunes_by_the_epochs_of_a_trial() -> None:
    """Nine epochs make three brackets; the first prunes after one epoch, the last never does."""
    pruner = make_pruner("hyperband", 0, epochs=9)
    study = optuna.create_study(study_name="hyperband", pruner=pruner)
    ends = []
    for number in range(40):
        trial = study.ask()
        for epoch in range(1, 10):
            trial.report(number / 40 + 1 / epoch, epoch)
            if trial.should_prune():
                break
        ends.append(epoch)
        study.tell(trial, number / 40 + 1 / epoch)
    assert set(ends) == {1, 3, 9}
    assert ends[0] == 9  # nothing to compare with


@pytest.fixture
def searched(tmp_path: Path) -> Search:
    """A search of 40 trials, in which the rate decides and the other parameter is noise."""
    random = np.random.default_rng(0)
    space = {"optimizer.lr": "interval(0,1)", "data.max_shift": "interval(0,1)"}
    content = {"monitor": "val/mse", "direction": "minimize", "space": space, "overrides": []}
    search = Search(tmp_path, content)
    unit = optuna.distributions.FloatDistribution(0, 1)
    for _ in range(40):
        values = dict(zip(space, random.random(2).tolist(), strict=True))
        rate = values["optimizer.lr"]
        search.study.add_trial(
            optuna.create_trial(
                params=values,
                distributions=dict.fromkeys(values, unit),
                intermediate_values={1: 2 * rate, 2: rate},
                value=rate,
            )
        )
    return search


def test_importances_have_intervals(searched: Search) -> None:
    found = importances(searched)
    assert list(found) == ["optimizer.lr", "data.max_shift"]
    for mean, low, high in found.values():
        assert 0 <= low < mean < high <= 1
    assert found["optimizer.lr"][1] > found["data.max_shift"][2]
    text = search_text(searched)
    assert "importance" in text
    assert f"{found['optimizer.lr'][0]:.2f}" in text


def test_optuna_dashboard_opens_the_journal(searched: Search) -> None:
    """Its server reads what a search has written."""
    pytest.importorskip("optuna_dashboard")
    (port,) = free_ports(1)
    command = Path(sys.executable).with_name("optuna-dashboard")
    server = subprocess.Popen(
        [command, searched.folder / "optuna.journal", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def ask(path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/{path}", timeout=60) as answer:
            return json.load(answer)

    try:
        wait_until(lambda: listens(port) or server.poll() is not None)
        (study,) = ask("studies")["study_summaries"]
        shown = ask(f"studies/{study['study_id']}")["trials"]
    finally:
        server.terminate()
        server.wait()
    assert (study["study_name"], study["directions"]) == (searched.folder.name, ["minimize"])
    for trial, there in zip(searched.study.get_trials(), shown, strict=True):
        assert there["state"] == "Complete"
        assert float(there["values"][0]) == trial.value
        params = {p["name"]: float(p["param_internal_value"]) for p in there["params"]}
        assert params == trial.params
        steps = {int(v["step"]): float(v["value"]) for v in there["intermediate_values"]}
        assert steps == trial.intermediate_values
