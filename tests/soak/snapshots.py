"""What counts of what a command leaves behind, so that two of them can be compared bit for bit."""

import csv
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

TIME = "train/seconds"
COSTS = (
    *("seconds", "cpu_seconds", "gpu_seconds", "memory_bytes", "gpu_memory_bytes", "images"),
    *("cpu_joules", "gpu_joules"),
)
# What says when or by whom, not what came of it.
PASSING = {
    "results.json": {TIME, *(f"cost/{name}" for name in COSTS)},
    "status.json": {
        *("started", "updated", "pid", "process", "host", "tracker_id", "sittings"),
    },
    "sweep.json": {"started", "run"},
}
LEFT_OUT = re.compile(
    # Pictures of a training in between are written again in each sitting.
    r"(^|/)(\.lock|\.searching|val_epoch_\d+\.png|log\.txt)$|(^|/)(wandb|cache)/|\.lock$"
)
WRITTEN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC|<!-- cost -->.*?<!-- /cost -->", re.S)


def snapshot(folder: Path) -> dict[str, str]:
    """What counts of all files in a folder, by the file and the place in it."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not LEFT_OUT.search(name):
            found |= {f"{name}:{where}": what for where, what in _content(path)}
    return found


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The places at which two snapshots differ."""
    places = sorted({*one, *other})
    return [
        f"{place}: {one.get(place, 'nothing')[:80]} and {other.get(place, 'nothing')[:80]}"
        for place in places
        if one.get(place) != other.get(place)
    ]


def _content(path: Path) -> Iterator[tuple[str, str]]:
    if path.name.endswith(".partial"):
        yield "", "left behind"
    elif path.suffix == ".ckpt":
        yield from _flat(torch.load(path, map_location="cpu", weights_only=True))
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            yield from _flat({name: torch.from_numpy(file[name]) for name in file.files})
    elif path.suffix == ".json":
        content = json.loads(path.read_text())
        drop = PASSING.get(path.name, set())
        yield from _flat({k: v for k, v in content.items() if k not in drop})
    elif path.name == "optuna.journal":
        yield from _flat(trials(path))
    elif path.suffix == ".csv":
        with path.open(newline="") as csv_file:
            reader = csv.DictReader(csv_file)
            yield "heads", str(reader.fieldnames)
            rows = [row for row in reader if row.get("metric") != TIME]
        yield from _flat([{k: v for k, v in row.items() if TIME not in k} for row in rows])
    elif path.suffix in (".png", ".safetensors"):
        yield "", _digest(path.read_bytes())
    else:
        yield from _flat(dict(enumerate(WRITTEN.sub("", path.read_text()).splitlines())))


def trials(path: Path) -> dict[str, Any]:
    """The trials of an Optuna journal, without when and by whom they were run."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(path, folder))
        storage = JournalStorage(JournalFileBackend(str(copy)))
        (study,) = storage.get_all_studies()
        return {
            str(t.number): {
                "state": t.state.name,
                "params": t.params,
                "values": t.values,
                "reported": t.intermediate_values,
                "error": t.user_attrs.get("error"),
            }
            for t in storage.get_all_trials(study._study_id)
        }


def _flat(node: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _flat(value, f"{where}.{key}")
    elif isinstance(node, list | tuple) and not (node and isinstance(node[0], int | float)):
        for number, value in enumerate(node):
            yield from _flat(value, f"{where}[{number}]")
    elif isinstance(node, torch.Tensor):
        content = node.detach().contiguous().flatten().view(torch.uint8) if node.numel() else node
        yield where, f"{node.dtype} {tuple(node.shape)} {_digest(content.numpy().tobytes())}"
    elif not where.endswith(".seconds"):
        text = repr(node)
        yield where, text if len(text) < 200 else _digest(text.encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
