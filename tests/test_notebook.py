"""What a notebook does: plain functions, without a command line."""

import ast
import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra.core.hydra_config import HydraConfig
from PIL import Image

import colorizer.report
from colorizer.config import compose_jobs
from colorizer.runs import open_run
from colorizer.train import train
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

    frame = colorizer.report.frame([open_run(folder) for folder in folders])
    assert list(frame["seed"]) == [0, 1]
    assert list(frame["state"]) == ["finished", "finished"]
    psnr = [open_run(folder).results["test/psnr"] for folder in folders]
    assert frame["test/psnr"].mean() == pytest.approx(sum(psnr) / 2)
    assert "test/delta_cf" in frame


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
