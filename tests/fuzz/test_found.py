"""Inputs that a campaign has found; each once ended in a traceback or in a page of text."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

import colorizer
from colorizer.cards import read_card
from colorizer.config import compose_jobs
from colorizer.errors import UserError
from colorizer.files import read_yaml
from colorizer.sweeps.plan import Sweep
from colorizer.sweeps.search import Search
from colorizer.sweeps.study import Study
from tests.fuzz.bench import Bench
from tests.fuzz.configs import LONGEST_MESSAGE

LONG = "x" * 3000


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (f"+trainer={LONG}", "trainer has no 'xxx"),
        (f"trainer={LONG}", "trainer has no 'xxx"),
        (f"experiment={LONG}", "experiment has no 'xxx"),
        (f"loss=[{LONG}]", "'loss=[xxx"),
        (f"{LONG}=1", "override 'xxx"),
        (f"+model.{LONG}=1", "override '+model.xxx"),
        (f"+model.{'y' * 200}=1", "nothing reads the key 'yyy"),
        (f"optimizer.{'y' * 200}=1", "nothing reads the key 'yyy"),
        ("model={a: 1}", "override 'model={a: 1}': the name of a config file is asked for"),
        ("optimizer.betas.5=1", "override 'optimizer.betas.5=1': "),
        ("+trainer.default_root_dir=/x", "it is there already; without + it is changed"),
        ("+seed=3", "override '+seed=3': it is there already; without + it is changed"),
    ],
    ids=lambda text: text[:30],
)
def test_overrides(override: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        compose_jobs(["data=photos", override])
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert len(text) < LONGEST_MESSAGE


def test_a_card_with_half_an_interpolation(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench")
    card, _ = read_card(bench.weights, "colorizer")
    card["config"]["data"]["root"] = "${oc.env:COLORIZER_DATA,data"
    wrong = tmp_path / "wrong.safetensors"
    save_file(load_file(bench.weights), wrong, {"kind": "colorizer", "card": json.dumps(card)})
    with pytest.raises(UserError, match="card that cannot be read: data.root: missing BRACE_CLOSE"):
        colorizer.load(wrong)


@pytest.mark.parametrize("text", ["1e999", "5", "true", "2020-01-01", "text", "'a b'", "--- 1"])
def test_yaml_that_is_one_value(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model/study.yaml"
    path.parent.mkdir()
    path.write_text(text)
    for read in (
        lambda: read_yaml(path),
        lambda: Study.open(str(path.parent)),
        lambda: compose_jobs(["model=study"], config_dir=str(tmp_path)),
    ):
        with pytest.raises(UserError, match=r"study.yaml:1:\d: .*, where there should be keys"):
            read()


def test_yaml_that_is_empty(tmp_path: Path) -> None:
    for text in ("", "# a comment", "null", "---"):
        (tmp_path / "empty.yaml").write_text(text)
        assert read_yaml(tmp_path / "empty.yaml") == {}


@pytest.mark.parametrize("name", [LONG, f"{LONG}.safetensors", "a\x00b", "\udc80", ""])
def test_names_of_no_file(name: str) -> None:
    with pytest.raises(UserError) as caught:
        colorizer.load(name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < LONGEST_MESSAGE


def test_a_plan_with_a_folder_that_cannot_be(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench")
    plan = json.loads(bench.right["sweep.json"])
    for folder in (LONG, "../0", ""):
        plan["jobs"][0]["folder"] = folder
        (bench.run / "sweep.json").write_text(json.dumps(plan))
        with pytest.raises(UserError, match="is no job's folder"):
            Sweep(bench.run).read()


def test_a_trial_with_several_values(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench")
    journal = bench.run / "optuna.journal"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    done = next(line for line in lines if line.get("values"))
    done["values"] *= 2
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(UserError, match="a trial whose values are not 1"):
        Search.open(bench.run)
