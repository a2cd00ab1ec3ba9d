"""Wrong files: of runs, weights, judges and sweeps."""

import json
import struct
from pathlib import Path
from random import Random
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from colorizer import load
from colorizer.judge import Judge
from colorizer.pictures import Examples
from colorizer.report import Summary
from colorizer.runs import open_run, open_runs, unfinished
from colorizer.sweeps.plan import Sweep
from colorizer.sweeps.search import Search
from colorizer.weights import Weights
from tests.fuzz.bench import Bench
from tests.fuzz.nasty import as_bytes, damaged, wrong_json

JSON = ("status.json", "environment.json", "results.json", "evaluation.json", "references.json")
OTHERS = ("logs/metrics.csv", "evaluation.npz", "replicates.npz", "examples/test.npz")
SWEEPS = ("sweep.json", "search.json", "optuna.journal")
CHECKPOINTS = ("checkpoints/best.ckpt", "checkpoints/last.ckpt")


def json_of_a_run(random: Random, bench: Bench) -> None:
    """A JSON file of a run with another value, or with damaged bytes."""
    name = random.choice(JSON)
    content = _json_or_bytes(random, bench.right[name])
    bench.note = f"{name}: {content[:3000]!r}"
    with bench.damaged(name, content):
        _read_run(random, bench.run)


def other_file_of_a_run(random: Random, bench: Bench) -> None:
    """The history, or the arrays of a run, damaged."""
    name = random.choice(OTHERS)
    content = damaged(random, bench.right[name])
    bench.note = f"{name}: {content[:3000]!r}"
    with bench.damaged(name, content):
        _read_run(random, bench.run)
        Examples.load(bench.run / "examples/test.npz").picture()


def config_of_a_run(random: Random, bench: Bench) -> None:
    """The config of a run, damaged or with another value; its colorizer is built."""
    right = bench.right["config.yaml"]
    if random.random() < 0.5:
        content = damaged(random, right)
    else:
        from omegaconf import OmegaConf

        values: Any = OmegaConf.to_container(OmegaConf.create(right.decode()))
        part = random.choice(("model", "representation", "data", "trainer", "monitor"))
        values[part] = wrong_json(random, values[part])
        content = as_bytes(values)
    bench.note = repr(content)
    with bench.damaged("config.yaml", content):
        open_run(bench.run).colorizer()(torch.zeros(1, 1, 32, 32))


def checkpoint(random: Random, bench: Bench) -> None:
    """A checkpoint, damaged; it is loaded."""
    name = random.choice(CHECKPOINTS)
    content = damaged(random, bench.right[name])
    bench.note = f"{name}: {content[:3000]!r}"
    with bench.damaged(name, content):
        run = open_run(bench.run)
        run.colorizer(name)(torch.zeros(1, 1, 8, 8))
        unfinished(run, name.partition("/")[2].partition(".")[0])


def weights(random: Random, bench: Bench) -> None:
    """A file of weights, damaged, or with another card."""
    path = bench.folder / "wrong.safetensors"
    content = _with_card(random, bench.weights)
    bench.note = repr(content[:3000])
    path.write_bytes(content)
    Weights(path)
    load(path)(torch.zeros(1, 1, 8, 8))


def judge(random: Random, bench: Bench) -> None:
    """A judge, damaged, or with another card."""
    path = bench.folder / "wrong-judge.safetensors"
    content = _with_card(random, bench.judge)
    bench.note = repr(content[:3000])
    path.write_bytes(content)
    Judge(path).look(torch.zeros(1, 3, 32, 32))


def sweep(random: Random, bench: Bench) -> None:
    """The plan of a sweep, or a search, damaged."""
    name = random.choice(SWEEPS)
    right = bench.right[name]
    content = damaged(random, right) if name == SWEEPS[2] else _json_or_bytes(random, right)
    bench.note = f"{name}: {content!r}"
    with bench.damaged(name, content):
        if name == "sweep.json":
            jobs, _ = Sweep(bench.run).read()
            assert all(isinstance(job.label, str) and job.state for job in jobs)
        else:
            search = Search.open(bench.run)
            assert search.parsed_space() is not None
            assert all(search.command(trial) for trial in search.ranked())
            assert search.counted() >= 0


def _read_run(random: Random, folder: Path) -> None:
    """As `colorizer report` does, which leaves a damaged run out; or as a notebook does."""
    if random.random() < 0.5:
        runs, left_out = open_runs([folder])
        assert all("\n" not in line for line in left_out), left_out
        summary = Summary(runs, left_out) if runs and random.random() < 0.1 else None
        if summary and summary.finished:
            summary.text()
        return
    run = open_run(folder)
    assert (run.environment, run.results, run.evaluation, run.references, run.history()) is not None
    assert run.pictures()
    assert (run.name, run.state, run.numbers, run.interim) is not None


def _json_or_bytes(random: Random, right: bytes) -> bytes:
    if random.random() < 0.4:
        return damaged(random, right)
    content = json.loads(right)
    for _ in range(random.choice((1, 1, 1, 3))):
        content = wrong_json(random, content)
    return as_bytes(content)


def _with_card(random: Random, path: Path) -> bytes:
    """A file of tensors: damaged, with another header, another card, or other tensors."""
    right = path.read_bytes()
    kind = random.random()
    if kind < 0.3:
        return damaged(random, right)
    if kind < 0.45:
        (length,) = struct.unpack("<Q", right[:8])
        header = wrong_json(random, json.loads(right[8 : 8 + length]))
        written = as_bytes(header)
        claimed = len(written) if random.random() < 0.8 else random.choice((0, 2**63, 10**9))
        return struct.pack("<Q", claimed) + written + right[8 + length :]
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if kind < 0.55:
        name = random.choice(sorted(tensors))
        tensors[name] = random.choice(
            (
                tensors[name].int(),
                tensors[name].double(),
                torch.full(tensors[name].shape, float("nan")),
                torch.zeros(0),
                tensors[name][None],
                tensors[name].bool(),
            )
        ).clone()
        return bytes(save(tensors, metadata))
    card = json.loads(metadata["card"])
    for _ in range(random.choice((1, 1, 1, 3))):
        card = wrong_json(random, card)
    return bytes(save(tensors, {**metadata, "card": as_bytes(card).decode("ascii")}))
