"""Groups over seeds and their paired differences, on the records of the committed studies."""

import csv
import math
import statistics
from pathlib import Path

import numpy as np
import pytest
from omegaconf import DictConfig, OmegaConf
from scipy.stats import t, ttest_rel

from colorizer.config import common_monitor
from colorizer.report import summary_of
from colorizer.report.comparison import Difference
from colorizer.runs import Run, find_runs, open_run
from colorizer.statistics import holm

STUDY = Path(__file__).parents[2] / "experiments" / "passthrough"


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    return [open_run(path) for path in find_runs(STUDY / "runs")]


def test_paired_differences_have_students_interval() -> None:
    """Three pairs: t(0.975, 2) = 4.30265, as in any table of Student's t."""
    found = Difference.of([(3.0, 1.0), (4.0, 1.0), (5.0, 1.0)])
    assert found.mean == 3.0
    assert found.half == pytest.approx(4.30265 * 1 / math.sqrt(3), rel=1e-5)
    assert found.text(".2f") == "+3.00 ±2.48"
    alone = Difference.of([(1.0, 2.0)])
    assert alone.half is None
    assert alone.text(".1f") == "-1.0"


def test_the_variance_over_images_is_added() -> None:
    random = np.random.default_rng(0)
    resampled = [0.1 * random.standard_normal(1000) for _ in range(3)]
    over_images = np.mean(resampled, axis=0).var(ddof=1)
    values = [(3.0, 1.0), (4.0, 1.0), (5.0, 1.0)]
    both = Difference.of(values, resampled)
    over_seeds = 1 / 3
    freedom = 2 * ((over_seeds + over_images) / over_seeds) ** 2
    expected = t.ppf(0.975, freedom) * (over_seeds + over_images) ** 0.5
    assert both.half == pytest.approx(expected, rel=1e-6)
    # Seeds that agree leave the images' alone, which are as many as a normal distribution needs.
    agreeing = Difference.of([(3.0, 1.0)] * 3, resampled)
    assert agreeing.half == pytest.approx(1.959964 * over_images**0.5, rel=1e-5)
    one = Difference.of([(0.0, 0.0)], [resampled[0] - resampled[0].mean()])
    assert one.p == 1
    assert Difference.of([(0.2, 0.0)], resampled[:1]).p == pytest.approx(0.045, abs=0.01)
    same = Difference.of([(1.0, 1.0)] * 2)
    assert (same.low, same.high, same.p) == (1 - 1, 0, 1)


def test_a_p_value_is_that_of_the_paired_t_test() -> None:
    first, second = [1.0, 2.0, 4.0, 3.0], [0.5, 2.5, 3.0, 1.0]
    found = Difference.of(list(zip(first, second, strict=True)))
    expected = ttest_rel(first, second)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.low == pytest.approx(expected.confidence_interval(0.95).low)


def test_holm() -> None:
    """The steps of Holm 1979, by hand: 4 x 0.01, 3 x 0.02, then no smaller than the one before."""
    assert holm([0.02, 0.01, 0.04, 0.03]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_objectives_of_different_units_rank_nothing() -> None:
    def config(monitor: str, **representation: float) -> DictConfig:
        return OmegaConf.create({"monitor": monitor, "representation": representation})

    objective, metric = "val/velocity_mse", "val/psnr"
    assert common_monitor([config(objective, a=1), config(objective, a=1)]) == objective
    assert common_monitor([config(objective, a=1), config(objective, a=2)]) is None
    assert common_monitor([config(metric, a=1), config(metric, a=2)]) == metric
    assert common_monitor([config(objective, a=1), config("val/mse", a=1)]) is None


def test_groups_are_found_from_what_was_varied(runs: list[Run]) -> None:
    (table,) = summary_of([STUDY / "runs"]).tables
    groups = table.groups
    assert groups.keys == ["model.passthrough"]
    assert sorted(group.settings["model.passthrough"] for group in groups.groups) == [
        "False",
        "True",
    ]
    for group in groups.groups:
        assert sorted(run.config.seed for run in group.runs) == [0, 1, 2]
        value = group.settings["model.passthrough"]
        own = [run for run in runs if str(run.config.model.passthrough) == value]
        psnr = [run.results["test/psnr"] for run in own]
        assert group.mean("test/psnr") == pytest.approx(statistics.fmean(psnr))
        assert group.std("test/psnr") == pytest.approx(statistics.stdev(psnr))
    # Best first by the validation metric that chose the checkpoints.
    means = [group.mean("val/mse") for group in groups.groups]
    assert means == sorted(mean for mean in means if mean is not None)


def test_the_files_say_what_the_table_says(runs: list[Run], tmp_path: Path) -> None:
    summary = summary_of([STUDY / "runs"])
    summary.write_figures(tmp_path)
    with (tmp_path / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert next(iter(rows[0])) == "model.passthrough"
    assert [*rows[0]][-1] == "n"
    assert {row["n"] for row in rows} == {"3"}
    with (tmp_path / "differences.csv").open() as file:
        differences = {row["metric"]: row for row in csv.DictReader(file)}
    row = differences["test/psnr"]
    seeds = {
        (run.config.model.passthrough, run.config.seed): run.results["test/psnr"] for run in runs
    }
    first, second = (row[k] == "True" for k in ("minus model.passthrough", "model.passthrough"))
    each = [seeds[second, seed] - seeds[first, seed] for seed in range(3)]
    assert float(row["difference"]) == pytest.approx(statistics.fmean(each))
    assert float(row["low95"]) < float(row["difference"]) < float(row["high95"])
    text = (tmp_path / "table.md").read_text()
    lines = text.splitlines()
    assert lines[0].endswith("mean ± standard deviation over seeds")
    assert any(line.startswith("| gray_copy") for line in lines)
    assert any(line.startswith("| real images") for line in lines)
    assert "difference to the best" in text
