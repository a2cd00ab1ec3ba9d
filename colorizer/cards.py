"""Files of weights with a card: safetensors, which execute nothing, with JSON in their header."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from colorizer.errors import UserError, shown
from colorizer.files import atomic_write, is_deep

# Characters of a card; ours have a tenth of it.
MOST_CARD = 100_000

Module = TypeVar("Module", bound=nn.Module)


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
            content = save(dict(tensors), {"kind": kind, "card": json.dumps(card)})
            part.write_bytes(_in_order(content))
    except (SafetensorError, OSError) as error:
        raise UserError(f"cannot write {path}: {error}") from error


def _in_order(content: bytes) -> bytes:
    """A safetensors file with its header in order, so that the same weights are the same bytes.

    The library writes the metadata in another order each time.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[end:]


def read_card(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The card and the tensors; floating-point ones in single precision.

    Raises:
        UserError: the file is cut short, no safetensors, or of another kind.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            tensors = {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}
    except Exception as error:
        raise UserError(f"{path} is cut short, or not a safetensors file") from error
    if metadata.get("kind") != kind:
        raise UserError(f"{path} is not a {kind}: it holds {metadata.get('kind', 'other weights')}")
    try:
        if len(metadata["card"]) > MOST_CARD:
            raise ValueError
        card: dict[str, Any] = json.loads(metadata["card"])
        if not isinstance(card, dict) or is_deep(card):
            raise ValueError
    except (KeyError, ValueError, RecursionError) as error:
        raise UserError(f"{path} has no card that can be read") from error
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise UserError(f"{path} is damaged: weights that are not finite")
    return card, tensors


def load_into(module: nn.Module, tensors: Mapping[str, Tensor], mistake: str) -> None:
    """Load weights into a module.

    Args:
        module: of the same architecture.
        tensors: by their names in the module.
        mistake: the beginning of the message if they are of another architecture.

    Raises:
        UserError: they are, with the first difference.
    """
    _compare(module, tensors, mistake)
    module.load_state_dict(dict(tensors))


def load_new(make: Callable[[], Module], tensors: Mapping[str, Tensor], mistake: str) -> Module:
    """Build a module with these weights.

    It is built without memory first: a config can ask for a network of any size.

    Args:
        make: builds the untrained module.
        tensors: by their names in the module.
        mistake: see `load_into`.

    Raises:
        UserError: see `load_into`.
    """
    with torch.device("meta"):
        _compare(make(), tensors, mistake)
    module = make()
    load_into(module, tensors, mistake)
    return module


def _compare(module: nn.Module, tensors: Mapping[str, Tensor], mistake: str) -> None:
    own = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in [*own, *(name for name in given if name not in own)]:
        here, there = own.get(name, "no such weight"), given.get(name, "no such weight")
        if here != there:
            raise UserError(f"{mistake}: {shown(name)} is {there} and should be {here}")


def halved(module: nn.Module) -> dict[str, Tensor]:
    """A module's weights, floating-point ones in half precision."""
    return {
        name: tensor.contiguous().half() if tensor.is_floating_point() else tensor.contiguous()
        for name, tensor in module.state_dict().items()
    }
