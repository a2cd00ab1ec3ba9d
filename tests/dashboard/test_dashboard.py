"""The dashboard on run directories of a real training, and on the records of a study."""

import csv
import io
import json
import os
import shutil
import socket
import statistics
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorizer.cli import main
from colorizer.commands.dashboard import make_server
from colorizer.dashboard import grid, pictures, views
from colorizer.dashboard.app import make_app
from colorizer.dashboard.scene import Scene, sweeps_of
from colorizer.dashboard.system import System
from colorizer.dashboard.watch import PATIENCE, Watch, so_far
from colorizer.pictures import Examples
from colorizer.processes import process_start
from colorizer.report.bands import bands_figure, points_of
from colorizer.runs import find_runs, open_run

STUDY = Path(__file__).parents[2] / "experiments" / "passthrough" / "runs"


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """Two runs of a sweep: a finished one, and one that stands after an epoch of two."""
    for name in ("0", "1"):
        ignored = shutil.ignore_patterns("wandb", "checkpoints")
        shutil.copytree(trained, tmp_path / "sweep" / name, ignore=ignored)
    going = tmp_path / "sweep" / "1"
    _edit(going / "config.yaml", "seed: 3\n", "seed: 4\n")
    status = json.loads((going / "status.json").read_text())
    own: dict[str, Any] = {
        "settings": "another seed",
        "pid": os.getpid(),
        "process": process_start(os.getpid()),
        "host": socket.gethostname(),
    }
    (going / "status.json").write_text(json.dumps({**status, **own, "state": "running"}))
    results = json.loads((going / "results.json").read_text())
    known = {k: v for k, v in results.items() if "/" not in k}
    (going / "results.json").write_text(json.dumps(known))
    (going / "evaluation.json").unlink()
    lines = (going / "logs" / "metrics.csv").read_text().splitlines(keepends=True)
    (going / "logs" / "metrics.csv").write_text("".join(lines[:3]))
    return tmp_path


def _edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new, 1))


def _scene(watch: Watch) -> Scene:
    snapshot = watch.look()
    return Scene(snapshot.runs, snapshot.damaged)


def test_a_run_is_followed_as_it_goes(folder: Path, trained: Path) -> None:
    watch = Watch([folder])
    first = watch.look()
    assert [run.state for run in first.runs] == ["finished", "running"]
    assert watch.look() is first
    row = _scene(watch).rows[1]
    assert (row["epoch"], row["epochs"], row["seed"]) == (1, 2, 4)
    history = folder / "sweep" / "1" / "logs" / "metrics.csv"
    lines = (trained / "logs" / "metrics.csv").read_text().splitlines(keepends=True)
    with history.open("a") as file:
        file.write(lines[3][: len(lines[3]) // 2])  # a row that is just being written
    assert _scene(watch).rows[1]["epoch"] == 1
    history.write_text("".join(lines))
    after = watch.look()
    assert after.version > first.version
    assert _scene(watch).rows[1]["epoch"] == 2
    assert after.runs[0] is first.runs[0]  # what has not changed is not read again


def test_a_run_whose_process_is_gone_has_died(folder: Path) -> None:
    watch = Watch([folder])
    before = watch.look()
    _edit(folder / "sweep/1/status.json", f'"pid": {os.getpid()}', '"pid": 2147483647')
    assert [run.state for run in watch.look().runs] == ["finished", "died"]
    assert watch.look().version == before.version + 1


@pytest.mark.parametrize("name", ["status.json", "config.yaml", "logs/metrics.csv", "results.json"])
def test_a_broken_run_is_named_and_the_others_stay(folder: Path, name: str) -> None:
    watch = Watch([folder])
    watch.look()
    (folder / "sweep" / "0" / name).write_bytes(b'{"cut short\n\x00, 1, 2, 3, 4\n')
    for _ in range(PATIENCE - 1):
        assert len(watch.look().runs) == 2  # it may just be written
    snapshot = watch.look()
    assert [run.folder.name for run in snapshot.runs] == ["1"]
    assert [path.name for path in snapshot.damaged] == ["0"]
    assert watch.look() is snapshot
    row = Scene(snapshot.runs, snapshot.damaged).rows[-1]
    assert row["state"] == "damaged"
    assert row["error"]


def test_removed_and_new_runs(folder: Path) -> None:
    watch = Watch([folder, folder / "not there yet"])
    run = watch.look().runs[0]
    shutil.copytree(folder / "sweep" / "0", folder / "not there yet" / "2")
    assert len(watch.look().runs) == 3
    shutil.rmtree(folder / "sweep" / "0")
    assert len(watch.look().runs) == 2
    # A page that still shows it has nothing to show, and no error.
    assert pictures.strips(run) == []
    assert run.history() == {}


def test_nothing_is_written(folder: Path) -> None:
    def state() -> dict[Path, tuple[int, int]]:
        found = {path: path.stat() for path in folder.rglob("*")}
        return {path: (stat.st_mtime_ns, stat.st_size) for path, stat in found.items()}

    before = state()
    scene = _scene(Watch([folder]))
    run = scene.runs[1]
    assert views.about(run, "x")
    assert views.difference(*scene.runs)
    assert views.curves(scene, "val/psnr", "groups", True)
    assert views.many_pictures(scene)
    assert grid.group_rows(scene.groups)
    assert state() == before


def test_an_unfinished_run_counts_at_its_best_epoch(folder: Path) -> None:
    run = open_run(folder / "sweep" / "1")
    shown = so_far(run)
    rows = [row for row in run.rows() if row["val/mse"]]
    assert shown.results["val/psnr"] == float(rows[0]["val/psnr"])
    assert shown.interim == "running, after epoch 1"
    assert run.interim is None
    scene = _scene(Watch([folder]))
    assert scene.states() == {"running": 1, "finished": 1}
    (groups,) = scene.groups
    (group,) = groups.groups
    assert group.seeds == 2
    (row,) = grid.group_rows([groups])
    assert row["running"] == 1
    both = [run.numbers["val/psnr"] for run in scene.taken]
    assert row["val/psnr"] == pytest.approx(statistics.fmean(both))
    assert row["text val/psnr"] == f"{statistics.fmean(both):.3f} ±{statistics.stdev(both):.3f}"


def test_the_table_has_the_records_numbers() -> None:
    scene = _scene(Watch([STUDY]))
    columns = [column["field"] for column in grid.run_columns(scene)]
    assert "model.passthrough" in columns
    assert columns.index("val/mse") < columns.index("test/psnr")
    for row in scene.rows:
        results = json.loads((Path(row["id"]) / "results.json").read_text())
        assert row["test/psnr"] == results["test/psnr"]
        assert row["seed"] == open_run(row["id"]).config.seed
    before, after = scene.references()
    assert [row["name"] for row in after] == ["real images"]
    assert after[0]["test/psnr"] == "inf"
    assert before[0]["name"] == "gray_copy"
    json.dumps([scene.rows, before, after], allow_nan=False)  # browsers read no NaN
    some = scene.only([row["id"] for row in scene.rows[:2]])
    assert [row["test/psnr"] for row in some.rows] == [r["test/psnr"] for r in scene.rows[:2]]
    assert sweeps_of(scene.runs) == [(str(STUDY), "runs")]


def test_bands_are_mean_and_deviation_over_seeds() -> None:
    scene = _scene(Watch([STUDY]))
    (groups,) = scene.groups
    group = groups.groups[0]
    seen: dict[float, list[float]] = {}
    for run in group.runs:
        with (run.folder / "logs" / "metrics.csv").open() as file:
            for row in csv.DictReader(file):
                if row["val/psnr"]:
                    seen.setdefault(float(row["epoch"]) + 1, []).append(float(row["val/psnr"]))
    points = points_of(group, "val/psnr")
    assert [point.epoch for point in points] == sorted(seen)
    for point in points:
        assert point.seeds == 3
        assert point.mean == pytest.approx(statistics.fmean(seen[point.epoch]))
        assert point.std == pytest.approx(statistics.stdev(seen[point.epoch]))
    figure = bands_figure([groups], "val/psnr")
    assert figure is not None
    names = [trace.name for trace in figure.data]
    assert names == 2 * [f"{groups.name(g)} (n=3)" for g in groups.groups]
    assert bands_figure([groups], "val/nothing") is None
    every = views.curves(scene, "val/psnr", "runs", False)
    assert len(every.data) == len(scene.runs)
    assert not every.layout.updatemenus


def test_pictures_grow_with_the_epochs(folder: Path) -> None:
    run = open_run(folder / "sweep" / "1")
    examples = Examples.load(run.folder / "examples" / "test.npz")
    for path in (run.folder / "examples").glob("val_*"):
        path.unlink()
    assert pictures.newest(run) is None
    for epoch in range(1, 41):
        examples.picture().save(run.folder / "examples" / f"val_epoch_{epoch:03d}.png")
    labels = [strip.label for strip in pictures.strips(run)]
    assert (labels[0], labels[1], labels[-2], labels[-1]) == ("gray", "epoch 1", "epoch 40", "true")
    assert len(labels) == pictures.MOST + 2
    strip = pictures.read_strip(run.folder, "val_epoch_003.png", "predicted")
    assert strip
    with Image.open(io.BytesIO(strip)) as picture:
        pixels = np.asarray(picture)
    for number, image in enumerate(examples.predicted):  # three pixels each, four between
        tile = pixels[::3, 100 * number : 100 * number + 96 : 3]
        np.testing.assert_array_equal(tile, image.permute(1, 2, 0).numpy())
    cut = run.folder / "examples" / "val_epoch_041.png"
    cut.write_bytes((run.folder / "examples" / "val_epoch_040.png").read_bytes()[:2000])
    assert pictures.read_strip(run.folder, cut.name, "true") is None


def test_the_difference_of_two_runs(folder: Path) -> None:
    one, other = (open_run(folder / "sweep" / name) for name in "01")
    text = str(views.difference(one, other))
    assert "Td('seed'), Td('3'), Td('4')" in text
    assert f"{one.results['test/psnr']:.2f}" in text


def test_the_machine_and_the_processes_of_runs(folder: Path) -> None:
    system = System()
    sample = system.sample()
    assert 0 < sample.used < sample.total
    scene = _scene(Watch([folder]))
    ((place, (_, memory)),) = system.processes(scene.runs).items()
    assert place == str(folder / "sweep" / "1")
    assert 0.05 < memory < sample.total
    assert views.load([sample, sample]).data[0].name == "CPU"


@pytest.fixture
def client(folder: Path) -> Callable[..., Any]:
    """Ask the page's server, without a socket."""
    app = make_app([folder], System())
    ask = app.server.test_client()

    def update(outputs: str, inputs: dict[str, Any], state: dict[str, Any]) -> Any:
        names = [name.split(".") for name in outputs.split("...")]
        body = {
            "output": f"..{outputs}..",
            "outputs": [{"id": name, "property": prop} for name, prop in names],
            "changedPropIds": list(inputs)[:1],
            **{
                kind: [
                    {"id": key.split(".")[0], "property": key.split(".")[1], "value": value}
                    for key, value in values.items()
                ]
                for kind, values in (("inputs", inputs), ("state", state))
            },
        }
        answer = ask.post("/_dash-update-component", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json["response"]

    update.get = ask.get  # type: ignore[attr-defined]
    return update


def test_the_page_is_filled_and_needs_no_network(client: Callable[..., Any], folder: Path) -> None:
    page = client.get("/").text  # type: ignore[attr-defined]
    assert "//" not in page.replace("<!--", "").split("<body>")[0].replace("</", "")
    assert 'src="http' not in page
    found = client(
        "table.rowData...table.columnDefs...table.dashGridOptions...chips.children",
        {"version.data": 1, "sweep.value": ""},
        {"table.columnDefs": [], "table.dashGridOptions": {}},
    )
    assert [row["state"] for row in found["table"]["rowData"]] == ["finished", "running"]
    assert len(found["table"]["dashGridOptions"]["pinnedTopRowData"]) == 4
    found = client(
        "curves-place.children...curves-note.children",
        {
            **{"version.data": 1, "sweep.value": str(folder / "sweep"), "shown.data": None},
            **{
                "metric.value": "val/psnr",
                "lines.value": "runs",
                "log.value": [],
                "tab.value": "curves",
            },
        },
        {},
    )
    assert len(found["curves-place"]["children"]["props"]["figure"]["data"]) == 2


def test_only_pictures_of_runs_are_served(client: Callable[..., Any], folder: Path) -> None:
    def ask(run: Path, name: str, row: str = "predicted") -> int:
        query = {"run": str(run), "name": name, "row": row}
        answer = client.get("/picture", query_string=query)  # type: ignore[attr-defined]
        return int(answer.status_code)

    run = folder / "sweep" / "0"
    assert ask(run, "val_epoch_001.png") == 200
    assert ask(run, "val_epoch_001.png", "../true") == 404
    assert ask(run, "../../1/examples/val_epoch_001.png") == 404
    assert ask(run, "../config.yaml") == 404
    shutil.copytree(run / "examples", folder / "elsewhere" / "examples")
    assert ask(folder / "elsewhere", "val_epoch_001.png") == 404


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    server = make_server([folder], "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.port
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_answers_this_machine_alone(port: int) -> None:
    import http.client

    def ask(host: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status

    assert ask(f"127.0.0.1:{port}") == 200
    assert ask(f"localhost:{port}") == 200
    assert ask("attacker.example") == 400  # a name that somebody points to 127.0.0.1


def test_mistakes_are_said_in_a_line(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard", str(tmp_path / "nothing")]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert main(["dashboard", str(tmp_path), "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert "--port 0 takes a free one" in error
    assert "Traceback" not in error


def test_a_folder_without_runs_is_waited_for(tmp_path: Path) -> None:
    scene = _scene(Watch([tmp_path]))
    assert scene.rows == []
    assert scene.groups == []
    assert scene.references() == ([], [])
    assert views.chips(scene) == []
    assert grid.run_columns(scene)
    assert find_runs(tmp_path) == []
