"""Reading checkpoints: nothing in them is executed or unpacked."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Required, TypedDict

import torch

from colorizer.annotations import mismatch
from colorizer.errors import UserError


class Place(TypedDict, total=False):
    """Where a training is; see `colorizer.callbacks.Checkpoints`."""

    finished: Required[bool]
    seconds: Required[float]
    batches: Required[int]
    between_epochs: Required[bool]
    best: Required[float | None]
    random: Required[list[Any]]


class Checkpoint(TypedDict, total=False):
    """What of Lightning's checkpoints is read."""

    state_dict: Required[Mapping[str, Any]]
    epoch: Required[int]
    global_step: Required[int]
    place: Place


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint; its tensors stay in the file until they are needed.

    Raises:
        UserError: it is damaged, or no checkpoint.
    """
    try:
        _check_archive(path)
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        wrong = mismatch(content, Checkpoint)
    except Exception as error:
        raise UserError(f"{path} is cut short or not a checkpoint: it cannot be read") from error
    if wrong:
        raise UserError(f"{path} is not a checkpoint of a training: {wrong}")
    found: dict[str, Any] = content
    return found


def _check_archive(path: Path) -> None:
    """Refuse what would take more memory than the file has bytes."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
        if packed or sum(member.file_size for member in members) > path.stat().st_size:
            raise ValueError("a checkpoint is not compressed")
        for member in members:
            # torch.load calls it with any number.
            if member.filename.endswith("data.pkl") and b"bytearray" in archive.read(member):
                raise ValueError("a checkpoint has no bytearray")


def read_weights(path: Path, part: str) -> dict[str, torch.Tensor]:
    """The weights of a part of the task, from a checkpoint.

    Args:
        path: the checkpoint.
        part: such as `colorizer`.

    Raises:
        UserError: see `read_checkpoint`; or they are no finite numbers.
    """
    prefix = f"{part}."
    state = read_checkpoint(path)["state_dict"]
    found = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    for name, weight in found.items():
        if not isinstance(weight, torch.Tensor) or weight.is_meta or weight.layout != torch.strided:
            raise UserError(f"{path} is not a checkpoint of a training: {name} is no weight")
    return found
