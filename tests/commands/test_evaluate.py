import csv
import itertools
import json
import os
import shutil
import socket
from pathlib import Path

import pytest

from colorizer.cli import main
from colorizer.report.summary import Summary
from colorizer.runs import keep_record, open_run, open_runs
from tests.conftest import CIFAR10_ROOT, JOB, Here

BEFORE = ["gray_copy", "mean_chroma", "gray_lookup", "true ab at half size"]


def rows(printed: str) -> dict[str, dict[str, str]]:
    """The first table on the terminal: name to title to cell."""
    lines = printed.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("run "))
    ends = [0]
    for part in lines[start + 1].split("  "):
        ends.append(ends[-1] + len(part) + 2)
    found = {}
    for line in lines[start + 2 :]:
        if not line:
            break
        cells = [line[a:b].strip() for a, b in itertools.pairwise(ends)]
        titles = [lines[start][a:b].strip() for a, b in itertools.pairwise(ends)]
        found[cells[0]] = dict(zip(titles, cells, strict=True))
    return found


@pytest.fixture(scope="module")
def evaluated(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the trained run, evaluated."""
    folder = tmp_path_factory.mktemp("evaluated") / "run"
    shutil.copytree(trained, folder, ignore=shutil.ignore_patterns("wandb"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        assert main(["evaluate", str(folder)]) == 0
    return folder


def test_a_run_scores_what_it_scored_in_training(
    trained: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained, "run", ignore=shutil.ignore_patterns("wandb"))
    assert here("evaluate", "run", "model=gray_copy", "-o", "out") == 0
    printed = capsys.readouterr().out
    table = rows(printed)
    run = open_run("run")
    assert list(table) == [*BEFORE, run.name, "real images"]
    assert float(table[run.name]["MSE"]) == pytest.approx(run.results["test/mse"], abs=1e-5)
    assert float(table[run.name]["PSNR"]) == pytest.approx(run.results["test/psnr"], abs=0.01)
    assert "no judge knows photos: without semantic accuracy and FD-cifar" in printed
    assert printed.count("input's luminance put back") == 2


def test_what_is_written(evaluated: Path) -> None:
    folder = evaluated / "evaluation"
    assert sorted(path.name for path in folder.iterdir()) == [
        "examples.png",
        "report.html",
        "scores.csv",
        "scores.json",
        "scores.md",
    ]
    with (folder / "scores.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert {(line["output"], line["images"]) for line in lines} == {
        (output, images) for output in ("raw", "luminance") for images in ("all", "chromatic")
    }
    for line in lines:
        if line["value"] and line["low95"]:
            assert float(line["low95"]) <= float(line["value"]) <= float(line["high95"]), line
    content = json.loads((folder / "scores.json").read_text())
    assert content["images"] == 192
    assert list(content["rows"])[-1] == "real images"


def test_the_run_keeps_it_for_reports(evaluated: Path, tmp_path: Path) -> None:
    run = open_run(evaluated)
    assert run.evaluation
    assert run.evaluation.about["split"] == "test"
    metrics = run.metrics("test")
    assert metrics["psnr"] == run.results["test/psnr"]
    assert metrics["delta_cf"] == run.evaluation.own.headline["delta_cf"]
    assert list(run.references) == [*BEFORE, "real images"]
    (table,) = Summary([run]).tables
    assert "ΔCF" in table.titles
    keep_record(run, tmp_path / "record")
    assert open_run(tmp_path / "record").evaluation == run.evaluation
    pictures = open_run(tmp_path / "record").pictures()
    assert pictures
    assert pictures.predicted.shape == (15, 3, 32, 32)
    page = (evaluated / "evaluation" / "report.html").read_text()
    for title in ("Best, median and worst", "Which colours there are", "luminance put back"):
        assert title in page


def test_damaged_pictures(evaluated: Path, tmp_path: Path) -> None:
    from colorizer.errors import UserError

    keep_record(open_run(evaluated), tmp_path / "record")
    file = tmp_path / "record" / "evaluation.npz"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match="is cut short, or no pictures"):
        open_run(tmp_path / "record").pictures()


def test_damaged_replicates(evaluated: Path, tmp_path: Path) -> None:
    keep_record(open_run(evaluated), tmp_path / "record")
    kept = open_run(tmp_path / "record").replicates
    assert set(kept) >= {"mse", "psnr", "ab_divergence"}
    assert {values.shape for values in kept.values()} == {(1000,)}
    file = tmp_path / "record" / "replicates.npz"
    file.write_bytes(file.read_bytes()[:100])
    _, damaged = open_runs([tmp_path / "record"])
    assert "is cut short, or no replicates of an evaluation" in damaged[0]


def test_baselines_alone_and_the_validation_split(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here("evaluate", "model=gray_copy,mean_chroma", "--split", "val", "data=photos") == 0
    printed = capsys.readouterr().out
    assert "192 val images" in printed
    assert list(rows(printed)) == [*BEFORE, "real images"]
    assert not list(Path().iterdir())  # nothing was asked for


@pytest.fixture(scope="module")
def four(evaluated: Path) -> Path:
    """Two settings with two seeds each, all evaluated."""
    folder = evaluated.parent / "four"
    for number in range(4):
        shutil.copytree(evaluated, folder / str(number))
        for name in ("config.yaml", "environment.json"):
            path = folder / str(number) / name
            text = path.read_text().replace("seed: 3\n", f"seed: {number % 2}\n", 1)
            text = text.replace("seed=3", f"seed={number % 2}")
            path.write_text(text.replace("lr: 0.003", "lr: 0.001") if number > 1 else text)
        status = folder / str(number) / "status.json"
        status.write_text(status.read_text().replace('"settings": "', f'"settings": "{number}'))
    return folder


def test_groups_and_their_differences_have_its_numbers(
    four: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here("report", str(four), "-o", "report.html", "--figures", "figures") == 0
    printed = capsys.readouterr().out
    heads = [line for line in printed.splitlines() if line.startswith("optimizer.lr")]
    assert len(heads) == 2
    assert all("ΔCF" in head for head in heads)
    assert "±+" not in printed
    assert (Path("figures") / "protocol.md").is_file()
    assert (Path("figures") / "extremes.png").is_file()


def test_runs_that_were_not_evaluated_or_by_other_judges(
    four: Path, tmp_path: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(four, "some")
    for name in ("evaluation.json", "evaluation.npz"):
        Path("some/0", name).unlink()
    for name, judge in (("1", "another"), ("2", "usual"), ("3", "usual")):
        path = Path("some", name, "evaluation.json")
        path.write_text(path.read_text().replace('"judges": []', f'"judges": ["{judge}"]'))
    assert here("report", "some") == 0
    printed = capsys.readouterr()
    assert "1 runs were evaluated by other judges: without what these say" in printed.err
    lines = printed.out.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("optimizer.lr"))
    table = lines[head : lines.index("", head)]
    assert "ΔCF" in table[0]
    assert sum(line.startswith("0.003") for line in table) == 1


def test_what_is_not_usual_goes_elsewhere(evaluated: Path, here: Here) -> None:
    before = (evaluated / "evaluation" / "scores.csv").read_text()
    assert here("evaluate", str(evaluated), "--split", "val", "--weights", "last") == 0
    assert (evaluated / "evaluation" / "scores.csv").read_text() == before
    assert (evaluated / "evaluation-val-last" / "report.html").is_file()
    assert open_run(evaluated).evaluation


def test_other_test_images_are_not_kept(evaluated: Path, here: Here) -> None:
    kept = (evaluated / "evaluation.json").read_text()
    swapped = ("data.test=[rocket]", "data.val=[chelsea]")
    assert here("evaluate", str(evaluated), *swapped, "-o", "out") == 0
    assert (evaluated / "evaluation.json").read_text() == kept


def test_a_run_that_cannot_be_written_to(
    evaluated: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(evaluated, "run")
    for name in ("evaluation.json", "evaluation.npz"):
        Path("run", name).unlink()
        Path("run", f"{name}.{socket.gethostname()}.{os.getpid()}.partial").mkdir()
    assert here("evaluate", "run", "-o", "out") == 0
    assert "not written to run" in capsys.readouterr().err
    assert "luminance put back" in Path("out/report.html").read_text()


@pytest.mark.cifar10
@pytest.mark.slow  # 30 s
def test_another_data_set_is_said_in_the_table(
    trained: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (trained / "evaluation.json").read_bytes()
    on_cifar = ("data=cifar10", f"data.root={CIFAR10_ROOT}", "data.val_images=320")
    assert here("evaluate", str(trained), *on_cifar, "--split", "val") == 0
    table = rows(capsys.readouterr().out)
    (name,) = set(table) - {*BEFORE, "real images"}
    assert name == f"{open_run(trained).name} (trained on photos)"
    assert table["gray_copy"]["recovered"].startswith(("0.0", "-0.0"))
    assert table["real images"]["recovered"] == "100.0"
    assert float(table["gray_copy"]["FD-cifar"].split()[0]) > float(
        table["real images"]["FD-cifar"].split()[0]
    )
    assert (trained / "evaluation.json").read_bytes() == before  # of its own data alone
    page = Path("evaluation-val-on-cifar10/report.html").read_text()
    assert "(trained on photos)" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no run, and are no weights, 'nowhere'"),
        (["model=unet", "data=photos"], "model=unet has to be trained first"),
        (["model=grey_copy"], "Did you mean 'gray_copy'?"),
        (["data=photos"], "nothing to evaluate"),
        ([], "nothing to evaluate"),
        (["RUN", "data.rot=x"], "only keys below 'data.' can be overridden"),
        (["RUN", "model=unet"], "has to be trained first"),
        (["RUN", "--judge", "no.safetensors"], "there is no judge no.safetensors"),
        (["RUN", "--judge", "JUDGE"], "judges cifar10, not photos"),
        (["RUN", "--sanity"], "--sanity scores altered real images"),
        (["RUN", "--learned-2afc"], "the learned 2AFC needs at least 1000 images"),
        (["LINEAR", "data=photos", "data.image_size=48"], "does not take 48x48 pixels"),
        (["RUN", "model.width=4"], "Did you mean 'model.widths'?"),
        (["RUN", "representation=rgb"], "only keys below 'data.' can be overridden"),
        (["RUN", "model.widths=[4"], "'model.widths=[4'"),
        (["RUN", "model.widths=[4,8]"], "holds another network"),
        (["model=gray_copy", "data=photos", "model.steps=3"], "there is no run whose model"),
    ],
)
def test_mistakes(
    trained: Path,
    here: Here,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    from colorizer.judge import SHIPPED

    if "LINEAR" in arguments:
        assert here("train", *JOB, "hydra.run.dir=linear") == 0
        capsys.readouterr()
    names = {"RUN": str(trained), "JUDGE": str(SHIPPED[0]), "LINEAR": "linear"}
    status = here("evaluate", *(names.get(argument, argument) for argument in arguments))
    assert status == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_weights_of_another_network_are_refused(
    trained: Path, tmp_path: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(trained, copy)
    text = (copy / "config.yaml").read_text()
    (copy / "config.yaml").write_text(text.replace("- 128", "- 64"))
    assert here("evaluate", str(copy)) == 2
    assert "best.ckpt holds another network" in capsys.readouterr().err
