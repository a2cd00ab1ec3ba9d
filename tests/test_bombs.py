"""Files that stand for more than they are: refused or bounded within a second and 500 MB."""

import contextlib
import json
import struct
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from safetensors import safe_open
from safetensors.torch import save_file

import colorizer
from colorizer.config import compose_jobs
from colorizer.console import markdown_table
from colorizer.errors import UserError
from colorizer.files import read_json, read_yaml
from colorizer.judge import Judge
from colorizer.pictures import Examples
from colorizer.runs import open_run
from colorizer.sweeps.study import Study
from tests.fuzz.bench import Bench, megabytes

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "bench")


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """A second of computing and 500 MB for the block."""
    Path("/proc/self/clear_refs").write_text("5")
    memory, started = megabytes("VmRSS"), time.process_time()
    yield
    assert time.process_time() - started < 1
    assert megabytes("VmHWM") - memory < 500


@contextlib.contextmanager
def refused(message: str) -> Iterator[None]:
    with bounded(), pytest.raises(UserError, match=message) as caught:
        yield
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "mine.yaml:2:10: an alias"),
        ("a: &a [*a]\n", "mine.yaml:1:8: an alias"),
        ("[" * 100_000, "mine.yaml:1:31: more than 30 levels"),
        ("a: " + "x" * 300_000, "more than 200000 bytes"),
        ("a: [" + "0," * 90_000, "mine.yaml:2:1: did not find"),
    ],
    ids=["aliases", "itself", "deep", "long", "wide"],
)
def test_yaml(tmp_path: Path, text: str, message: str) -> None:
    for place in ("conf/model/mine.yaml", "study/study.yaml"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text(text)
    compose_jobs(["data=photos"])  # what is read once is no part of it
    with refused(message):
        compose_jobs(["model=mine"], config_dir=str(tmp_path / "conf"))
    with refused(message.replace("mine", "study")):
        Study.open(str(tmp_path / "study"))
    with refused(message.replace("mine", "study")):
        read_yaml(tmp_path / "study/study.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 1_000_000, "recursion|more than 30 levels"),
        ('{"a":' * 500 + "1" + "}" * 500, "more than 30 levels"),
        ('{"a": ' + "9" * 1_000_000 + "}", "digits"),
        ('{"a": "' + "x" * 21_000_000 + '"}', "more than 20000000 bytes"),
    ],
    ids=["deeper than Python", "deep", "digits", "long"],
)
@pytest.mark.parametrize("name", ["results.json", "environment.json", "evaluation.json"])
def test_json(bench: Bench, name: str, text: str, message: str) -> None:
    (bench.run / name).write_text(text)
    with refused(message):
        read_json(bench.run / name)
    with refused(message):
        run = open_run(bench.run)
        assert run.results
        assert run.environment
        assert run.evaluation


LARGE = [
    {"_target_": "colorizer.models.CNN", "width": 64, "depth": 10**7},
    {"_target_": "colorizer.models.CNN", "width": 10**7, "depth": 3},
    {"_target_": "colorizer.models.CNN", "width": 8192, "depth": 8192},
    {"_target_": "colorizer.models.UNet", "widths": [8192] * 10},
    {"_target_": "colorizer.models.UNet", "widths": [2] * 5_000},
    {"_target_": "torch.nn.Linear", "in_features": 8192, "out_features": 8192},
    {"_target_": "torch.nn.Linear", "in_features": 10**9, "out_features": 10**9},
]


@pytest.mark.parametrize("model", LARGE, ids=lambda model: str(model)[:80])
def test_networks_of_any_size(bench: Bench, model: dict[str, Any]) -> None:
    with safe_open(bench.weights, framework="pt") as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    card = json.loads(metadata["card"])
    card["config"]["model"] = model
    wrong = bench.folder / "wrong.safetensors"
    save_file(tensors, wrong, {**metadata, "card": json.dumps(card)})
    config: Any = read_yaml(bench.run / "config.yaml")
    config["model"] = model
    (bench.run / "config.yaml").write_text(OmegaConf.to_yaml(config))
    with refused("."):
        colorizer.load(wrong)
    with refused("."):
        open_run(bench.run).colorizer()


def test_a_header_of_any_length(bench: Bench) -> None:
    for length in (2**63, 10**9, 0):
        path = bench.folder / "wrong.safetensors"
        path.write_bytes(struct.pack("<Q", length) + bench.weights.read_bytes()[8:])
        with refused("cut short, or not a safetensors file"):
            colorizer.load(path)
        with refused("cut short, or not a safetensors file"):
            Judge(path)


def write_zeros(path: Path, name: str, gigabytes: int) -> None:
    """An .npz of a few megabytes with an array of gigabytes."""
    zeros = bytes(100_000_000)
    header = {"descr": "|u1", "fortran_order": False, "shape": (gigabytes * 10**9,)}
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{name}.npy", "w", force_zip64=True) as member,
    ):
        np.lib.format.write_array_header_1_0(member, header)
        for _ in range(gigabytes * 10):
            member.write(zeros)


def test_arrays_that_unpack_to_gigabytes(bench: Bench) -> None:
    path = bench.run / "evaluation.npz"
    write_zeros(path, "true", 1)
    assert path.stat().st_size < 20_000_000
    (bench.run / "examples/test.npz").write_bytes(path.read_bytes())
    with refused("cut short"):
        open_run(bench.run).pictures()
    with refused("cut short"):
        Examples.load(bench.run / "examples/test.npz")


def test_checkpoints_that_unpack_to_gigabytes(bench: Bench) -> None:
    path, other = bench.run / "checkpoints/best.ckpt", bench.folder / "large.ckpt"
    content = torch.load(path, weights_only=True)
    content["state_dict"]["colorizer.network.x"] = torch.zeros(50_000_000, dtype=torch.uint8)
    torch.save(content, other)
    with zipfile.ZipFile(other) as large, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as small:
        for member in large.infolist():
            small.writestr(member.filename, large.read(member))
    with refused("not a checkpoint"):
        open_run(bench.run).colorizer()


def test_names_with_markup_are_text_in_a_table() -> None:
    name = "a | b\n| --- |\n**bold** [x](http://y) <script>alert(1)</script> `c` \x1b[31m"
    table = markdown_table(["run", "PSNR"], [[name, "22.1"]])
    head, rule, row = table.splitlines()
    assert row.startswith(r"| a \| b \| --- \| \*\*bold\*\* \[x\]")
    assert "<" not in row
    assert "\x1b" not in row
    assert row.replace(r"\|", "").count("|") == head.count("|") == rule.count("|") == 3
