"""Whether a value of a config or of a JSON file is what an annotation asks for.

A list stands for a tuple, a `_target_` for an object.
"""

import collections.abc
import functools
import inspect
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Annotated, Any, Literal

from colorizer.errors import shown
from colorizer.ranges import Length

PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def fits(value: Any, annotation: Any) -> bool:
    """True if a value is of one of the types of an annotation, and in its range.

    What is not understood, such as a type variable, takes anything.
    """
    # Files have thousands of numbers: the common union is taken apart without ado.
    union = isinstance(annotation, types.UnionType)
    for option in annotation.__args__ if union else _options(annotation):
        if _fits(value, option):
            return True
    return False


def _fits(value: Any, option: Any) -> bool:
    if option is float:
        return type(value) in (int, float) and -math.inf < value < math.inf
    origin, arguments = typing.get_origin(option), typing.get_args(option)
    if origin is Annotated:
        return fits(value, arguments[0]) and all(value in bound for bound in arguments[1:])
    if origin is Literal:
        return any(type(value) in (type(known), int) and value == known for known in arguments)
    if option in (None, types.NoneType):
        return value is None
    if option is str or _is_class(option, PurePath):
        return isinstance(value, str)
    if option in PLAIN:
        return type(value) is option
    if typing.is_typeddict(option):
        return isinstance(value, dict) and mismatch(value, option) is None
    container = origin or option
    if _is_class(container, collections.abc.Mapping):
        return isinstance(value, dict) and all(
            fits(child, arguments[-1] if arguments else Any) for child in value.values()
        )
    if _is_class(container, tuple):
        return isinstance(value, list) and _is_tuple(value, arguments)
    if _is_class(container, collections.abc.Iterable) and not _is_class(container, str):
        return isinstance(value, list) and all(fits(v, (*arguments, Any)[0]) for v in value)
    if _needs_target(option):
        return isinstance(value, dict) and "_target_" in value
    return True


def takes_keys(annotation: Any) -> bool:
    """True if there may be keys with values, whatever these are."""
    return any(
        not _is_understood(option)
        or _is_class(typing.get_origin(option) or option, collections.abc.Mapping)
        for option in _options(annotation)
    )


def mismatch(content: Mapping[str, Any], schema: Any) -> str | None:
    """What of keys with values is not as a `TypedDict` says; None where all is."""
    for key in sorted(schema.__required_keys__):
        if key not in content:
            return f"it has no {key}"
    for key, annotation in _annotations(schema).items():
        if key in content and not fits(content[key], annotation):
            return f"{key}={shown(content[key])}: {words(annotation)}"
    return None


@functools.lru_cache
def _annotations(schema: Any) -> dict[str, Any]:
    """The annotations of a `TypedDict`, by key."""
    hints = typing.get_type_hints(schema, include_extras=True)
    return {key: _without_required(annotation) for key, annotation in hints.items()}


def wrong_argument(cls: type, arguments: Any) -> str | None:
    """What of the arguments of a class is not as its signature says; None where all is."""
    if not isinstance(arguments, dict):
        return f" is {shown(arguments)}"
    known = typing.get_type_hints(cls.__init__, include_extras=True)  # type: ignore[misc]
    for key, value in arguments.items():
        if key not in known or not fits(value, known[key]):
            return f"{shown(key)}={shown(value)}: {words(known.get(key, None))}"
    return None


def _without_required(annotation: Any) -> Any:
    markers = (typing.Required, typing.NotRequired)
    return (
        typing.get_args(annotation)[0] if typing.get_origin(annotation) in markers else annotation
    )


def _is_tuple(values: list[Any], arguments: tuple[Any, ...]) -> bool:
    if not arguments or arguments[-1] is ...:
        return all(fits(value, (*arguments, Any)[0]) for value in values)
    return len(values) == len(arguments) and all(map(fits, values, arguments))


def makes(target: Any, partial: bool, annotation: Any) -> bool:
    """True if what a target makes, by itself or when it is called, is what an annotation asks for.

    Args:
        target: a class or a function; what functions make is not known before.
        partial: whether the target is called later.
        annotation: of the parameter.
    """
    options = _options(annotation)
    if not all(_is_understood(option) for option in options):
        return True
    later = [option for option in options if _is_callable(option)]
    now = tuple(option for option in options if _needs_target(option) and option not in later)
    if not inspect.isclass(target):
        return bool(later) if partial else bool(now or later)
    if partial:
        return any(_makes_later(target, option) for option in later)
    has_call = any("__call__" in vars(cls) for cls in target.__mro__)
    return issubclass(target, now) or (bool(later) and has_call)


def _makes_later(target: type, option: Any) -> bool:
    made = (*typing.get_args(option), Any)[1]
    return not inspect.isclass(made) or issubclass(target, made)


def inner(annotation: Any) -> Any:
    """The annotation of the values in a container; Any where it says nothing."""
    for option in _options(annotation):
        if typing.get_origin(option) is Annotated:
            option = typing.get_args(option)[0]
        if _is_class(typing.get_origin(option), collections.abc.Iterable):
            return typing.get_args(option)[-1]
    return Any


def words(annotation: Any) -> str:
    """What an annotation asks for, in words."""
    return " or ".join(dict.fromkeys(_words(option) for option in _options(annotation)))


def _words(option: Any) -> str:
    origin, arguments = typing.get_origin(option), typing.get_args(option)
    if origin is Annotated:
        lengths = [str(bound) for bound in arguments[1:] if isinstance(bound, Length)]
        ranges = [str(bound) for bound in arguments[1:] if not isinstance(bound, Length)]
        text = words(arguments[0])
        if lengths:
            text = text.replace("a list", f"a list {lengths[0]}", 1)
        return " ".join([text, *ranges])
    if origin is Literal:
        known = [shown(argument) for argument in arguments]
        return known[0] if len(known) == 1 else f"one of {', '.join(known)}"
    if option in (None, types.NoneType):
        return "null"
    if option is str or _is_class(option, PurePath):
        return "text"
    if option in PLAIN:
        return PLAIN[option]
    container = origin or option
    if _is_class(container, collections.abc.Mapping):
        return "keys with values"
    if _is_class(container, tuple) and arguments and arguments[-1] is not ...:
        return f"a list of {len(arguments)}, each {words(arguments[0])}"
    if _is_class(container, collections.abc.Iterable) and not _needs_target(option):
        return f"a list, each {words(arguments[0])}" if arguments else "a list"
    name = "function" if _is_callable(option) else getattr(option, "__name__", str(option))
    return f"a {name} by its _target_"


def _options(annotation: Any) -> tuple[Any, ...]:
    """The parts of a union, or the annotation alone."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(o for part in typing.get_args(annotation) for o in _options(part))
    return (annotation,)


def _is_class(found: Any, of: type) -> bool:
    return inspect.isclass(found) and issubclass(found, of)


def _is_callable(option: Any) -> bool:
    return (typing.get_origin(option) or option) is collections.abc.Callable


def _needs_target(option: Any) -> bool:
    """Whether only an object fits, which a config has to describe."""
    if _is_callable(option):
        return True
    plain = option in PLAIN or option in (Any, object, types.NoneType)
    container = _is_class(option, collections.abc.Iterable) and option.__module__ in (
        "builtins",
        "collections.abc",
        "typing",
    )
    text = _is_class(option, PurePath) or _is_class(option, Enum)
    return inspect.isclass(option) and not (plain or container or text)


def _is_understood(option: Any) -> bool:
    known = typing.get_origin(option) is not None or option in (None, *PLAIN)
    return known or (inspect.isclass(option) and option not in (Any, object))
