"""TensorBoard and MLflow, read back: metrics, settings, pictures; one run, however often cut."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from colorizer import signals
from colorizer.cli import main
from colorizer.loggers import MLFlowLogger
from colorizer.runs import Run, open_run
from colorizer.tasks import Task
from tests.conftest import JOB, Here

TRAIN = [part for part in JOB if part != "logger=none"] + [
    "trainer.max_epochs=3",
    "+trainer.limit_val_batches=1",
    "callbacks.examples.min_seconds=0",
    "hydra.run.dir=outputs/run",
    "tags=[a]",
    "group=g",
]


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as MLflow makes it, which takes it seconds."""
    pytest.importorskip("mlflow")
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    logger = MLFlowLogger(tracking_uri=f"sqlite:///{path}")
    assert not logger.failed
    return path


@pytest.fixture(scope="module")
def run(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A training of two sittings: the first gets SIGTERM in the second of three epochs."""
    pytest.importorskip("tensorboard")
    folder = tmp_path_factory.mktemp("cut")
    (folder / "outputs").mkdir()
    shutil.copy(empty_store, folder / "outputs" / "mlflow.db")
    step: Any = Task.training_step
    made = 0

    def training_step(self: Task, batch: Any, batch_idx: int) -> Any:
        nonlocal made
        made += 1
        if made == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, batch, batch_idx)

    handlers = {number: signal.getsignal(number) for number in signals.HANDLED}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(Task, "training_step", training_step)
        arguments = ("train", *TRAIN, "logger=[csv,tensorboard,mlflow]")
        assert [main(arguments), main(arguments)] == [75, 0]
        yield open_run("outputs/run")
    for number, handler in handlers.items():
        signal.signal(number, handler)


def curve(run: Run, metric: str) -> list[tuple[int, float]]:
    """What the run's own file of metrics says: step and value."""
    return [(int(row["step"]), float(row[metric])) for row in run.rows() if row.get(metric)]


def test_tensorboard(run: Run) -> None:
    """What was logged after the last save is there once, as in the CSV file."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    events = EventAccumulator(str(run.folder / "tensorboard"), size_guidance={"images": 0})
    events.Reload()
    for metric in ("train/loss", "val/psnr", "test/psnr"):
        found = [(event.step, event.value) for event in events.Scalars(metric)]
        assert found == [(s, pytest.approx(v, rel=1e-5)) for s, v in curve(run, metric)]
    assert [event.step for event in events.Images("examples/val")] == [2, 5, 8]
    (picture,) = events.Images("examples/test")
    assert (picture.step, picture.width) == (9, Image.open("outputs/run/examples/test.png").width)

    def session(tag: str) -> Any:
        content = events.SummaryMetadata(f"_hparams_/{tag}").plugin_data.content
        return HParamsPluginData.FromString(content)

    settings = session("session_start_info").session_start_info.hparams
    assert settings["optimizer/lr"].number_value == run.config.optimizer.lr
    assert settings["loss/terms/mse/_target_"].string_value == "colorizer.losses.MSE"
    assert session("session_end_info").session_end_info.status == 1  # success


def test_mlflow(run: Run) -> None:
    """One run of two sittings. MLflow keeps both values of a step that was made twice."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient("sqlite:///outputs/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if e.name == "colorizer"]
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.status == "FINISHED"
    assert found.info.run_name == run.name
    assert found.data.params["optimizer/lr"] == str(run.config.optimizer.lr)
    assert found.data.tags["group"] == "g"
    assert "a" in found.data.tags
    for metric in ("train/loss", "val/psnr", "test/psnr"):
        points = client.get_metric_history(found.info.run_id, metric)
        assert {point.step: pytest.approx(point.value, rel=1e-5) for point in points} == dict(
            curve(run, metric)
        )
    folder = Path("outputs/mlflow") / found.info.run_id / "artifacts" / "images"
    pictures = {file.name.split("+timestamp")[0]: file for file in folder.glob("*.png")}
    assert {"examples~val+step+2", "examples~val+step+8", "examples~test+step+9"} <= {*pictures}
    assert (
        Image.open(pictures["examples~test+step+9"]).tobytes()
        == Image.open("outputs/run/examples/test.png").tobytes()
    )


def test_a_server_that_is_not_there(
    here: Here, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert here("train", *TRAIN, "logger=mlflow", "trainer.max_epochs=1", "test=false") == 0
    err = capfd.readouterr().err
    assert err.count("MLflow failed") == 1
    assert "the training goes on without it" in err
    assert "Traceback" not in err


def test_how_a_run_ended(empty_store: Path) -> None:
    """Beside its own state, for what MLflow has no word for."""
    for state, word in {"pruned": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}.items():
        logger = MLFlowLogger(tracking_uri=f"sqlite:///{empty_store}")
        logger.log_metrics({"val/mse": 1.0}, step=1)
        logger.end(state)
        run = logger.experiment.get_run(logger.run_id)
        assert (run.info.status, run.data.tags["state"]) == (word, state)


def test_what_is_not_installed_is_said_before_there_is_a_run(
    here: Here, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("colorizer.tracking.PACKAGES", {"MLFlowLogger": "not_installed"})
    assert here("train", *TRAIN, "logger=[csv,mlflow]") == 2
    assert "logger=mlflow: not_installed is not installed: pip install" in capsys.readouterr().err
    assert not Path("outputs").exists()
