"""What a notebook does: plain functions, without a command line."""

import ast
import base64
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra.core.hydra_config import HydraConfig
from PIL import Image

import colorizer
from colorizer.config import compose_jobs, resolved
from colorizer.runs import find_runs, open_run
from colorizer.train import build_parts, train
from colorizer.trainer import build_trainer
from tests.conftest import JOB

ROOT = Path(__file__).parents[1]


def test_two_trainings_and_their_data_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is asked of Hydra's command line, sys.argv or __main__, and nothing is printed."""
    monkeypatch.setattr(sys, "argv", ["notebook"])
    threads = torch.get_num_threads()
    folders = [tmp_path / str(seed) for seed in range(2)]
    for seed, folder in enumerate(folders):
        (job,) = compose_jobs([*JOB, f"seed={seed}"])
        trained = train(job.config, folder, progress=False)
        assert trained.results["test/psnr"] == open_run(folder).results["test/psnr"]
        assert trained.task.colorizer(torch.rand(2, 1, 32, 32)).shape == (2, 3, 32, 32)
    torch.set_num_threads(threads)
    assert not HydraConfig.initialized()
    assert sys.argv == ["notebook"]
    assert capsys.readouterr().out == ""

    frame = colorizer.runs(tmp_path)
    assert list(frame["seed"]) == [0, 1]
    assert list(frame["state"]) == ["finished", "finished"]
    psnr = [open_run(folder).results["test/psnr"] for folder in folders]
    assert frame["test/psnr"].mean() == pytest.approx(sum(psnr) / 2)
    assert "test/delta_cf" in frame
    assert frame.attrs["varied"] == ["seed"]
    assert frame["optimizer.lr"].dtype == float
    assert set(frame["model._target_"]) == {"colorizer.models.Linear"}
    assert (frame["cost/images"] == 3 * 64).all()


def test_data_task_and_trainer_by_hand(tmp_path: Path) -> None:
    """What colorizer.train builds, without its run directory."""
    (job,) = compose_jobs([*JOB, "model=cnn"])
    config = resolved(job.config, str(tmp_path))
    data, task = build_parts(config)
    off = {"logger": False, "enable_checkpointing": False}
    trainer = build_trainer(config.trainer, **off)
    trainer.fit(task, data)
    (values,) = trainer.validate(task, data, verbose=False)
    assert values["val/psnr"] > 5
    assert not list(tmp_path.iterdir())


NOTEBOOK = Path(__file__).parents[1] / "experiments" / "notebooks" / "ablation.ipynb"


def test_the_notebook_is_executed() -> None:
    """From its first cell to the last, without an error, and with its two figures."""
    cells = [c for c in json.loads(NOTEBOOK.read_text())["cells"] if c["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(cells) + 1)]
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert "smoke test, not a result" in NOTEBOOK.read_text()


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anywhere: in an empty folder."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(NOTEBOOK, 4)
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=900, resources=place).execute()
    assert len(find_runs(tmp_path / "outputs" / "ablation")) == 4


def test_the_notebook_of_photographs() -> None:
    """Its cells run, one after another, and give what is kept beside them."""
    notebook = json.loads((ROOT / "experiments/photographs/colorize.ipynb").read_text())
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            *lines, last = ast.parse("".join(cell["source"])).body
            assert isinstance(last, ast.Expr)
            exec(compile(ast.Module(lines, []), "cell", "exec"), names)
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
            (kept,) = (output["data"] for output in cell["outputs"])
            if "image/jpeg" in kept:
                image = Image.open(io.BytesIO(base64.b64decode("".join(kept["image/jpeg"]))))
                assert image.size == value.size
                difference = np.asarray(image.convert("RGB"), int) - value.convert("RGB")
                assert np.abs(difference).mean() < 4
            else:
                assert "".join(kept["text/plain"]) == repr(value)
