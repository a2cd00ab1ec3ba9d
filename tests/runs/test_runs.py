import json
import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig, OmegaConf

from colorizer.color import luma
from colorizer.config import build_colorizer, changed, compose_jobs
from colorizer.errors import UserError
from colorizer.evaluation import data_of
from colorizer.files import write_json
from colorizer.runs import (
    Run,
    RunWriter,
    code_versions,
    find_runs,
    keep_record,
    open_finished,
    open_run,
    recorded,
    unique_names,
)
from colorizer.runs.names import distinct_suffixes
from colorizer.runs.status import read_status
from colorizer.signals import Stopped


def config(name: str = "a name") -> DictConfig:
    return OmegaConf.create({"name": name, "seed": 0})


def writer(folder: Path, name: str = "a name") -> RunWriter:
    return RunWriter(folder, config(name), ["model=cnn"], {"model": "cnn"})


def test_a_finished_run_is_read_back(trained: Path) -> None:
    run = open_finished(trained)
    assert run.state == "finished"
    assert run.config.seed == 3
    more = {"delta_cf", "ab_divergence", "energy_score"}
    assert set(run.metrics("test")) == set(run.metrics("val")) | more
    assert run.results["test/mse"] == run.metrics("test")["mse"]
    names = ["gray_copy", "mean_chroma", "gray_lookup", "true ab at half size", "real images"]
    assert list(run.references) == names


def test_it_is_complete(trained: Path) -> None:
    run = open_run(trained)
    environment = run.environment
    assert environment["seed"] == 3
    assert environment["threads"] == 2
    assert environment["choices"]["model"] == "unet"
    assert "data=photos" in environment["overrides"]
    assert environment["command"].startswith("colorizer train data=photos")
    assert "'tags=[test]'" in environment["command"]
    assert environment["packages"]["torch"] == torch.__version__.split("+")[0]
    assert {"timm", "wandb"} < set(environment["packages"])
    assert {"colorizer.models.unet", "colorizer.data.photos"} < set(environment["modules"])
    assert "colorizer.models.cnn" not in environment["modules"]
    assert run.results["protocol"] == "1"
    assert run.results["data"] == "photos"
    assert run.results["weights"] == "checkpoints/best.ckpt"
    assert len(run.results["test_fingerprint"]) == 16
    assert run.results["epochs"] == 2
    assert run.results["steps"] == 10
    for name in (
        "config.yaml",
        "logs/metrics.csv",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "examples/test.png",
        "examples/test.npz",
        "examples/val_epoch_001.png",
    ):
        assert (trained / name).stat().st_size > 0, name
    sizes = {
        name: (trained / "checkpoints" / name).stat().st_size for name in ("best.ckpt", "last.ckpt")
    }
    assert sizes["best.ckpt"] < sizes["last.ckpt"] / 2


def test_metrics_over_time(trained: Path) -> None:
    history = open_run(trained).history()
    assert [epoch for epoch, _ in history["val/psnr"]] == [1, 2]
    assert [epoch for epoch, _ in history["train/loss"]] == [1, 2]
    best = min(value for _, value in history["val/mse"])
    assert open_run(trained).results["val/mse"] == pytest.approx(best, rel=1e-5)


def test_the_network_is_rebuilt_from_the_run(trained: Path, rgb: torch.Tensor) -> None:
    colorizer = open_run(trained).colorizer()
    output = colorizer(luma(rgb))
    assert output.shape == rgb.shape
    assert not colorizer.training
    untrained = build_colorizer(open_run(trained).config).eval()
    assert not torch.equal(output, untrained(luma(rgb)))
    last = torch.load(trained / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    found = open_run(trained).colorizer("checkpoints/last.ckpt").state_dict()
    assert all(torch.equal(found[key], last[f"colorizer.{key}"]) for key in found)


def test_a_run_can_be_moved(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "elsewhere")
    assert str(trained) not in (tmp_path / "elsewhere" / "config.yaml").read_text()
    open_run(tmp_path / "elsewhere").colorizer()


def test_the_written_config_leaves_this_machine_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORIZER_DATA", "/somewhere/private")
    (job,) = compose_jobs([])
    written = OmegaConf.to_yaml(recorded(job.config))
    assert "/somewhere/private" not in written
    assert "${oc.env:COLORIZER_DATA,data}" in written
    assert "hydra" not in OmegaConf.create(written)


def test_versions_of_the_code() -> None:
    def run(code: str, **modules: str) -> Run:
        found = Run(Path(), config(), {"code": code})
        found.environment = {"modules": modules} if modules else {}
        return found

    unet, cnn = run("1", train="a", unet="b"), run("2", train="a", cnn="c")
    # Two networks are no two versions; two versions of one are.
    assert code_versions([unet, cnn, unet]) == 1
    assert code_versions([unet, cnn, run("3", train="a", cnn="d")]) == 2
    assert code_versions([run("1"), run("1")]) == 1
    assert code_versions([run("1"), run("2")]) == 2
    assert code_versions([run("1"), unet]) == 2


def test_a_directory_with_a_run_is_refused(trained: Path) -> None:
    before = (trained / "status.json").read_text()
    with pytest.raises(UserError, match="holds another run"):
        writer(trained)
    assert (trained / "status.json").read_text() == before


def _claim(folder: str, barrier: object, results: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    try:
        writer(Path(folder), str(os.getpid()))
        results.put("won")  # type: ignore[attr-defined]
    except UserError:
        results.put("refused")  # type: ignore[attr-defined]


def test_of_two_at_once_one_gets_the_directory(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for attempt in range(5):
        barrier, results = context.Barrier(2), context.Queue()
        arguments = (str(tmp_path / str(attempt)), barrier, results)
        processes = [context.Process(target=_claim, args=arguments) for _ in range(2)]
        for process in processes:
            process.start()
        assert sorted(results.get(timeout=30) for _ in processes) == ["refused", "won"]
        for process in processes:
            process.join()


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        writer(tmp_path)
    assert (tmp_path / "config.yaml").read_text() == "mine"


def test_a_path_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot make the run directory .* is not a folder"):
        writer(tmp_path / "file" / "run")


@pytest.mark.parametrize("state", ["failed", "interrupted"])
def test_how_a_run_ended_is_written_down(tmp_path: Path, state: str) -> None:
    run = writer(tmp_path / "run")
    try:
        raise ValueError("too bad")
    except ValueError as error:
        run.stop(state, error)
    found = open_run(tmp_path / "run")
    assert found.state == state
    assert found.status["error"] == "ValueError: too bad"
    assert "Traceback" in found.status["traceback"]
    with pytest.raises(UserError, match=rf"{state}.*too bad"):
        open_finished(tmp_path / "run")


def test_a_run_whose_process_is_gone_has_died(tmp_path: Path) -> None:
    writer(tmp_path / "run")
    assert open_run(tmp_path / "run").state == "running"
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    context = multiprocessing.get_context("fork")
    process = context.Process(target=int)
    process.start()
    process.join()
    write_json(tmp_path / "run" / "status.json", {**status, "pid": process.pid})
    with pytest.raises(UserError, match="ended without a word"):
        open_finished(tmp_path / "run")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "it has no config.yaml"),
        (lambda folder: (folder.mkdir(), (folder / "config.yaml").write_text("a: 1")), "no status"),
    ],
)
def test_what_is_not_a_run(tmp_path: Path, prepare: object, message: str) -> None:
    prepare(tmp_path / "run")  # type: ignore[operator]
    with pytest.raises(UserError, match=message):
        open_run(tmp_path / "run")


def test_a_folder_of_runs_points_to_one(trained: Path) -> None:
    with pytest.raises(UserError, match=f"there are runs below it, such as {trained}"):
        open_run(trained.parent)
    assert find_runs(trained.parent) == [trained]


@pytest.mark.parametrize("damage", ["cut", "code"])
def test_damaged_or_harmful_weights_are_refused(trained: Path, tmp_path: Path, damage: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(trained, copy)
    weights = copy / "checkpoints" / "best.ckpt"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-1000])
    else:
        torch.save({"state_dict": {"colorizer.x": _Harmful(tmp_path / "harmed")}}, weights)
    with pytest.raises(UserError, match=r"best.ckpt is cut short or not a checkpoint"):
        open_run(copy).colorizer()
    assert not (tmp_path / "harmed").exists()


class _Harmful:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_record_has_all_but_the_weights(trained: Path, tmp_path: Path) -> None:
    for _ in range(2):  # a copy of the same run is replaced
        keep_record(open_run(trained), tmp_path / "record")
    record = open_finished(tmp_path / "record")
    assert record.results == open_run(trained).results
    assert record.history() == open_run(trained).history()
    assert "host" not in record.status
    assert sum(path.stat().st_size for path in tmp_path.rglob("*")) < 300_000
    with pytest.raises(UserError, match="record without weights"):
        record.colorizer()


def test_names_in_a_table_leave_out_what_is_shared(tmp_path: Path) -> None:
    names = ("smoke, cnn, seed=1", "smoke, cnn, seed=2", "smoke, unet, seed=1")
    for number, name in enumerate(names):
        writer(tmp_path / str(number), name)
    runs = [open_run(tmp_path / str(number)) for number in range(3)]
    assert unique_names(runs) == ["cnn, seed=1", "cnn, seed=2", "unet, seed=1"]
    assert unique_names(runs[:1]) == ["smoke, cnn, seed=1"]
    writer(tmp_path / "3", names[0])
    again = [*runs, open_run(tmp_path / "3")]
    assert unique_names(again)[0] == "cnn, seed=1 (0)"
    assert unique_names(runs, taken=["cnn, seed=1"])[0] == "cnn, seed=1 (0)"


def test_folders_are_told_apart_by_as_little_as_needed() -> None:
    assert distinct_suffixes([Path("x/a/0"), Path("x/b/0"), Path("x/b/1")]) == ["a/0", "b/0", "b/1"]
    assert distinct_suffixes([Path("x/a"), Path("x/b")]) == ["a", "b"]
    assert distinct_suffixes([Path("x/a")]) == ["a"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("results.json", "{}", "results.json is not whole"),
        ("results.json", "{", "cannot be read"),
        ("status.json", "{}", "status.json cannot be read: it has no state"),
        ("config.yaml", "a: [", r"config\.yaml:2:1: did not find expected node content"),
    ],
)
def test_a_damaged_run_is_said_to_be_one(
    trained: Path, tmp_path: Path, name: str, content: str, message: str
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(trained, copy)
    (copy / name).write_text(content)
    with pytest.raises(UserError, match=message):
        open_finished(copy)


def test_a_run_says_nothing_of_where_the_data_is(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what an honest run saw, nor where a stranger's would have something written."""
    copy = tmp_path / "run"
    shutil.copytree(trained, copy)
    config = OmegaConf.load(copy / "config.yaml")
    config.data = {
        "_target_": "colorizer.data.CIFAR10",
        "root": str(tmp_path / "trap"),
        "download": True,
    }
    OmegaConf.save(config, copy / "config.yaml")
    monkeypatch.setenv("COLORIZER_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(UserError, match="elsewhere"):
        data_of(open_run(copy))
    assert not (tmp_path / "trap").exists()
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_null_can_be_changed() -> None:
    config = OmegaConf.create({"model": {"temperatures": None}, "representation": {}})
    assert changed(config, ["model.temperatures=[1,0.8]"]).model.temperatures == [1, 0.8]
    with pytest.raises(UserError, match=r"no such key\. Did you mean 'model\.temperatures'"):
        changed(config, ["model.temperature=1"])


def test_what_the_weights_mean_cannot_be_changed() -> None:
    bins = {"_target_": "colorizer.representations.ChromaBins", "step": 0.05, "temperature": 0.4}
    config = OmegaConf.create({"model": {}, "representation": bins})
    assert changed(config, ["representation.temperature=1"]).representation.temperature == 1
    with pytest.raises(UserError, match=r"the weights are of representation\.step=0\.05"):
        changed(config, ["representation.step=0.0497"])


def test_a_signal_as_a_run_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its folder says already that it runs, and nobody else would say that it does not."""

    def stopped(*_: object) -> None:
        raise Stopped(signal.SIGTERM)

    monkeypatch.setattr("colorizer.runs.writer.environment", stopped)
    with pytest.raises(Stopped):
        writer(tmp_path / "run")
    status = read_status(tmp_path / "run")
    assert status is not None
    assert status["state"] == "interrupted"
    assert "Stopped" in status["error"]
