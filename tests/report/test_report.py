import csv
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from colorizer.cli import main
from colorizer.report.summary import Summary
from colorizer.runs import find_runs, open_run, varied_settings

BEFORE = ["gray_copy", "mean_chroma", "gray_lookup", "true ab at half size"]

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture(scope="module")
def runs(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs that differ in seed and loss weight, and one that was interrupted."""
    folder = tmp_path_factory.mktemp("report")
    for name in ("a", "b", "c"):
        shutil.copytree(trained, folder / name, ignore=shutil.ignore_patterns("wandb"))
    config = folder / "b" / "config.yaml"
    config.write_text(
        config.read_text()
        .replace("seed: 3\n", "seed: 4\n", 1)
        .replace("seed=3", "seed=4")
        .replace("mse: 1.0", "mse: 0.5")
    )
    results = folder / "b" / "results.json"
    better = re.sub(r'"val/psnr": [\d.]+', '"val/psnr": 99.5', results.read_text())
    results.write_text(re.sub(r'"test/psnr": [\d.]+', '"test/psnr": 0.5', better))
    status = folder / "c" / "status.json"
    status.write_text(status.read_text().replace('"finished"', '"interrupted"'))
    return folder


def test_runs_that_no_judge_saw_stand_beside_those_that_were_judged(tmp_path: Path) -> None:
    """The record of few training images has no judges' numbers, the CNN's has."""
    runs = [
        str(EXPERIMENTS / name) for name in ("ceiling/runs/images=5625", "course/full/cnn-seed=0")
    ]
    assert not open_run(runs[0]).evaluation.about["judges"]  # type: ignore[union-attr]
    main(["report", *runs, "-o", str(tmp_path / "report.html"), "--figures", str(tmp_path)])
    with (tmp_path / "table.csv").open() as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    assert float(rows["cnn"]["recovered"]) == pytest.approx(20.8, abs=0.1)
    assert not rows["faithful_gpu"]["recovered"]
    assert "frog" in (tmp_path / "report.html").read_text()


def test_what_was_varied_becomes_columns(runs: Path) -> None:
    summary = Summary([open_run(runs / name) for name in "abc"])
    (table,) = summary.tables
    assert table.varied == ["loss.weights.mse", "seed"]
    assert [row.varied for row in table.runs] == [
        {"loss.weights.mse": "0.5", "seed": "4"},
        {"loss.weights.mse": "1.0", "seed": "3"},
    ]
    # Best on the validation split first: the test split ranks nothing.
    assert next(row.metrics["psnr"] for row in table.runs) == 0.5
    assert [row.name for row in table.before] == BEFORE
    assert [row.name for row in table.after] == ["real images"]
    assert [run.folder.name for run in summary.unfinished] == ["c"]


def test_a_key_that_only_one_run_has_is_a_column(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "a", tmp_path / "short")
    config = tmp_path / "short" / "config.yaml"
    config.write_text(
        config.read_text().replace("limit_train_batches: 5", "limit_val_batches: 1.0")
    )
    (table,) = Summary([open_run(runs / "a"), open_run(tmp_path / "short")]).tables
    assert table.varied == ["trainer.limit_train_batches", "trainer.limit_val_batches"]
    values = [row.varied["trainer.limit_train_batches"] for row in table.runs]
    assert sorted(values) == ["", "5"]


def test_an_experiment_counts_as_one_setting() -> None:
    """What follows from it is left to it; what was asked for beside it is not."""
    report = [open_run(path) for path in find_runs(EXPERIMENTS / "course" / "runs")]
    names = {settings["experiment"] for settings in varied_settings(report)}
    assert {"course_linear", "course_cnn", "course_cnn_passthrough", "unet"} <= names
    assert {key for settings in varied_settings(report) for key in settings} <= {
        "experiment",
        "seed",
    }
    default = [open_run(path) for path in find_runs(EXPERIMENTS / "default" / "runs")]
    *_others, last = varied_settings([*report, *default])
    assert last["experiment"] == ""
    assert last["trainer.max_epochs"] == "10"
    assert "model" not in last


def test_the_page_is_whole_and_needs_no_network(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "deep" / "page.html"
    assert main(["report", str(runs), "-o", str(page)]) == 0
    printed = capsys.readouterr()
    assert f"report    {page}" in printed.out
    assert "is interrupted" in printed.err
    text = page.read_text()
    own = text[: text.index("<script>/**")] if "<script>/**" in text else text
    assert not re.search(r'(src|href)="(?!data:)', own)
    gallery = text[text.index("<h2>Examples") :]
    assert gallery.count('<img src="data:image/png;base64,') == 4  # gray, two runs, true
    details = text[text.index("<details>") : text.index("</details>")]
    assert "loss.weights.mse" in details  # of two runs, how they differ
    assert "<h2>Cost</h2>" in text
    assert "val\\u002fpsnr" in text
    assert "Plotly.newPlot" in text
    assert "smoke test, not a result" in text
    with Image.open(page.with_name("page-examples.png")) as picture:
        assert picture.size[1] == 4 + 4 * (3 * 32 + 4)


def test_kept_records_make_the_same_report(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, figures = tmp_path / "kept", tmp_path / "figures"
    arguments = ["report", str(runs), "-o", str(tmp_path / "1.html"), "--keep", str(kept)]
    assert main([*arguments, "--figures", str(figures)]) == 0
    assert sorted(path.name for path in kept.iterdir()) == ["seed=3", "seed=4"]
    assert not list(kept.rglob("*.ckpt"))
    before = (figures / "table.md").read_text()
    arguments = ["report", str(kept), "-o", str(tmp_path / "2.html"), "--figures", str(figures)]
    assert main(arguments) == 0
    assert (figures / "table.md").read_text() == before
    with (figures / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows][:4] == BEFORE
    assert float(rows[4]["psnr"]) == 0.5
    assert rows[-1]["psnr"] == ""
    # Two jobs of the same name, in different sweeps, are kept side by side.
    shutil.copytree(runs / "a", tmp_path / "one" / "0")
    shutil.copytree(runs / "a", tmp_path / "two" / "0")
    both = [str(tmp_path / "one"), str(tmp_path / "two"), "-o", str(tmp_path / "4.html")]
    assert main(["report", *both, "--keep", str(tmp_path / "both")]) == 0
    assert [p.name[-6:] for p in sorted((tmp_path / "both").iterdir())] == ["-one-0", "-two-0"]
    # Records are not overwritten.
    assert main(["report", str(kept), "-o", str(tmp_path / "3.html"), "--keep", str(kept)]) == 2
    assert "holds another run" in capsys.readouterr().err


def test_what_a_study_costs(runs: Path) -> None:
    """That of runs in no table, too; records from before it was kept have none."""
    summary = Summary([open_run(runs / name) for name in "abc"])
    cost = summary.cost()
    assert cost
    titles, lines = cost
    assert titles == ["run", "time", "CPU time", "memory", "images"]
    assert [line[0] for line in lines[2:]] == ["in no table", "all"]
    assert [line[-1] for line in lines] == ["640", "640", "640", "1,920"]
    old = [open_run(path) for path in find_runs(EXPERIMENTS / "colorizers" / "without-labels")]
    assert Summary(old).cost() is None
    mixed = Summary([open_run(runs / "a"), *old[:3]]).cost()
    assert mixed
    assert mixed[0][:2] == ["run", "runs"]
    assert sorted(line[1] for line in mixed[1]) == ["0 of 3", "1", "1 of 4"]
    assert mixed[1][-1][-1] == "640"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is not a run"),
        (["RUNS/c"], "no finished run to report"),
        (["RUNS", "-o", "/dev/null/page.html"], "cannot write /dev/null"),
    ],
)
def test_mistakes(
    runs: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["report", *(argument.replace("RUNS", str(runs)) for argument in arguments)]) == 2
    assert message in capsys.readouterr().err


def test_a_browser_sorts_the_table_and_draws_the_curves(runs: Path, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Debian's chromium")
    page = tmp_path / "page.html"
    assert main(["report", str(runs), "-o", str(page)]) == 0
    click = (
        "<script>addEventListener('load', () => { for (let i = 0; i < 1; i++)"
        " document.querySelectorAll('thead th')[2].click(); });</script></body>"
    )
    page.write_text(page.read_text().replace("</body>", click))
    done = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=5000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    body = done.stdout[done.stdout.index('<tbody class="runs">') :]
    seeds = re.findall(r'<td class="text" data-key="([34])">', body[: body.index("</tbody>")])
    assert seeds == ["3", "4"]  # sorted by seed, no longer by PSNR
    assert 'class="main-svg"' in done.stdout
    assert "scatterlayer" in done.stdout
