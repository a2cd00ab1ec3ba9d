"""What the `_target_`s of a config take: names, types and ranges, from their signatures."""

import inspect
import typing
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

from colorizer.config.build import find_target
from colorizer.tracking import PASSES_ON


@cache
def parameters(target: str, path: str) -> list[str] | None:
    """The keyword parameters of a target; None where it takes any.

    Raises:
        UserError: there is no such target.
    """
    names: list[str] = []
    for function in _constructors(find_target(target, path)):
        signature = _signature(function)
        if signature is None:
            return None
        names += _named(signature)
        if not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
            return names
    if target in PASSES_ON:
        return names + (parameters(PASSES_ON[target], path) or [])
    return None


@cache
def required(target: str, path: str) -> list[str]:
    """Those without a default."""
    functions = _constructors(find_target(target, path))
    signatures = [_signature(function) for function in functions]
    named = set(parameters(target, path) or ())
    return [
        name
        for signature in signatures
        if signature
        for name in _named(signature)
        if name in named and signature.parameters[name].default is inspect.Parameter.empty
    ]


@cache
def hints(target: str, path: str) -> dict[str, Any]:
    """The annotations of a target's parameters; those that cannot be evaluated are left out."""
    found: dict[str, Any] = {}
    for function in _constructors(find_target(target, path)):
        signature = _signature(function)
        for name in _named(signature) if signature else ():
            if name not in found:
                found[name] = _hint(function, getattr(function, "__annotations__", {}).get(name))
    return {name: hint for name, hint in found.items() if hint is not None}


def _hint(function: Any, annotation: Any) -> Any:
    """An annotation with its names looked up; None where one is not there when the program runs."""
    if annotation is None:
        return None
    try:
        owner: Any = SimpleNamespace(__annotations__={"it": annotation})
        names = getattr(inspect.unwrap(function), "__globals__", {})
        return typing.get_type_hints(owner, names, include_extras=True)["it"]
    except (NameError, TypeError, AttributeError, SyntaxError):
        return None


def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # of some that are written in C
        return None


def _named(signature: inspect.Signature) -> list[str]:
    return [
        name
        for name, parameter in signature.parameters.items()
        if name != "self"
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]


def _constructors(found: Any) -> Iterator[Any]:
    """A function itself; of a class the `__init__`s that `**kwargs` can reach, nearest first."""
    if not inspect.isclass(found):
        yield found
        return
    for cls in found.__mro__:
        if "__init__" in vars(cls) and cls is not object:
            yield vars(cls)["__init__"]
