"""A metric from outside the checkout: a Python file that an entry point names."""

import csv
import json
import os
import re
from pathlib import Path

import pytest

from colorizer.metrics import Metric, metrics, register
from colorizer.runs import open_run
from tests.conftest import JOB, Command

MINE = """
from colorizer.metrics import ImageMetric, per_image, register


@register
class RedError(ImageMetric):
    name, title, digits, better, order = "red_error", "red", ".3f", "min", 45
    shown = frozenset({"scores", "headline", "groups", "classes"})
    interval = True

    def values(self, images):
        return per_image((images.prediction - images.target)[:, 0].abs())
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a user who has installed a package with a metric."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "own_metrics.py").write_text(MINE)
    about = folder / "own_metrics-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own-metrics\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text("[colorizer.metrics]\nred = own_metrics:RedError\n")
    paths = [str(folder), str(Path(__file__).parents[2])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def test_it_is_everywhere(environment: dict[str, str], tmp_path: Path, command: Command) -> None:
    job = [part for part in JOB if part != "logger=none"]
    sweep = tmp_path / "sweep"
    done = command(
        "train", "-m", *job, "logger=csv", "monitor=val/red_error", "seed=0,1",
        f"hydra.sweep.dir={sweep}", env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # In the table over seeds, between what stands before and behind it.
    titles = next(line for line in done.stdout.splitlines() if line.startswith("run "))
    assert titles.split()[2:6] == ["val", "red", "PSNR", "SSIM"]
    run = open_run(sweep / "0")
    assert run.history()["val/red_error"][0][1] == pytest.approx(run.results["val/red_error"])
    assert 0 < run.results["test/red_error"] < 1
    assert run.config.monitor_mode == "min"
    own = json.loads((run.folder / "evaluation.json").read_text())["own"]["readings"]
    value, low, high = own["luminance"]["all"]["red_error"]
    assert low < value < high

    done = command("evaluate", str(sweep / "0"), "-o", str(tmp_path / "scores"), env=environment)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    tables = [line for line in lines if line.startswith("run ") and " px " not in line]
    assert all(" red " in line for line in tables)
    assert "±" in done.stdout
    with (tmp_path / "scores" / "scores.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == "red_error"]
    assert {row["run"] for row in rows} >= {"gray_copy", "real images"}

    done = command("report", str(sweep), "--figures", str(tmp_path / "figures"), env=environment)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\| +red +\|", (tmp_path / "figures" / "protocol.md").read_text())
    assert "red_error" in (tmp_path / "figures" / "table.csv").read_text()
    assert ">red<" in (sweep / "report.html").read_text()


def test_a_module_that_cannot_be_imported_is_named(
    environment: dict[str, str], tmp_path: Path, command: Command
) -> None:
    about = tmp_path / "broken-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text("[colorizer.metrics]\nblue = no_such_module\n")
    path = f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"
    done = command("train", *JOB, env={**environment, "PYTHONPATH": path}, cwd=tmp_path)
    assert done.returncode == 2
    assert "the metric blue of no_such_module cannot be imported" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_is_taken_is_refused() -> None:
    class Other(Metric):
        name, title = "psnr", "mine"

    assert metrics()["psnr"].title == "PSNR"
    with pytest.raises(ValueError, match="there is a metric 'psnr' already"):
        register(Other)
    assert metrics()["psnr"].title == "PSNR"
