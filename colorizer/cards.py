"""Files of weights with a card: safetensors, which execute nothing, with JSON in their header."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from colorizer.errors import UserError
from colorizer.files import atomic_write


def write_card(
    tensors: Mapping[str, Tensor], kind: str, card: Mapping[str, Any], path: Path
) -> None:
    """Write tensors with a card.

    Args:
        tensors: by name; see `halved`.
        kind: of the file.
        card: JSON values.
        path: the file, made or replaced.

    Raises:
        UserError: it cannot be written, or a weight is not finite.
    """
    if not all(t.isfinite().all() for t in tensors.values() if t.is_floating_point()):
        raise UserError(f"{path} is not written: weights are not finite in half precision")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part:
            part.write_bytes(save(dict(tensors), {"kind": kind, "card": json.dumps(card)}))
    except (SafetensorError, OSError) as error:
        raise UserError(f"cannot write {path}: {error}") from error


def read_card(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The card and the tensors; floating-point ones in single precision.

    Raises:
        UserError: the file is cut short, no safetensors, or of another kind.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is cut short, or not a safetensors file") from error
    if metadata.get("kind") != kind:
        raise UserError(f"{path} is not a {kind}: it holds {metadata.get('kind', 'other weights')}")
    try:
        card: dict[str, Any] = json.loads(metadata["card"])
        if not isinstance(card, dict):
            raise ValueError
    except (KeyError, ValueError, RecursionError) as error:
        raise UserError(f"{path} has no card that can be read") from error
    return card, {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}


def load_into(module: nn.Module, tensors: Mapping[str, Tensor], mistake: str) -> None:
    """Load weights into a module.

    Args:
        module: of the same architecture.
        tensors: by their names in the module.
        mistake: the beginning of the message if they are of another architecture.

    Raises:
        UserError: they are, with the first difference.
    """
    own = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in [*own, *(name for name in given if name not in own)]:
        here, there = own.get(name, "no such weight"), given.get(name, "no such weight")
        if here != there:
            raise UserError(f"{mistake}: {name} is {there} and should be {here}")
    module.load_state_dict(dict(tensors))


def halved(module: nn.Module) -> dict[str, Tensor]:
    """A module's weights, floating-point ones in half precision."""
    return {
        name: tensor.contiguous().half() if tensor.is_floating_point() else tensor.contiguous()
        for name, tensor in module.state_dict().items()
    }
