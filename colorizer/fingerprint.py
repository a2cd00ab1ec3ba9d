"""Fingerprints of files, and of the code that a class or a module needs, found by its imports."""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

OURS = __name__.partition(".")[0]

# Not followed: they compose, name, store, log and draw. No number of a result is computed there;
# what `config` sets is among the settings by which a job is known.
SILENT = frozenset(
    f"{OURS}.{room}"
    for room in (
        *("cache", "callbacks.cost", "cli", "commands", "config", "console", "costs", "errors"),
        *("files", "fingerprint", "paths", "preflight", "processes", "quiet", "report"),
        *("reproduction", "signals", "sweeps", "tracking"),
        *("runs.code", "runs.ending", "runs.environment", "runs.identity", "runs.layout"),
        *("runs.names", "runs.records", "runs.run", "runs.sources", "runs.status", "runs.writer"),
    )
)


def files_fingerprint(files: Iterable[Path], start: str = "") -> str:
    """The first 16 hexadecimal digits of the SHA-256 of files, in the order of their paths.

    Args:
        files: what is read.
        start: what else goes in.
    """
    digest = hashlib.sha256(start.encode())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def code_fingerprint(*roots: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the modules that roots need.

    Args:
        *roots: see `modules`.

    Raises:
        ModuleNotFoundError: see `modules`.
    """
    return fingerprint_of(modules(*roots))


def fingerprint_of(hashes: dict[str, str]) -> str:
    """`code_fingerprint` of modules whose hashes are known."""
    text = "".join(f"{name} {own}\n" for name, own in sorted(hashes.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def modules(*roots: str) -> dict[str, str]:
    """The modules that roots need, by name, with the hash of each.

    A module is hashed as its syntax tree without docstrings, when it is first asked for: a process
    goes on with the code that it has read. Its imports are followed, also those in functions, but
    not those for type checkers; through a package's `__init__` to where a name comes from, so that
    a network's fingerprint leaves the other networks out. They are followed within this package and
    packages outside `site-packages`; of an installed package the version is on record.

    Args:
        *roots: dotted names of modules, or of classes and functions in them.

    Raises:
        ModuleNotFoundError: a module that is imported has no file.
    """
    return {name: _module(name).hash for root in {*roots} for name in _reach(root)}


@dataclass
class _Module:
    """A module's hash, imports and names.

    Args:
        hash: of its syntax tree without docstrings; of the file where it is compiled.
        folders: where its submodules are; empty where it is no package.
        imports: dotted names that are imported anywhere in it, and whether it can do without.
        bound: names at its top level, and the dotted names that they are imported from.
        defined: other names at its top level.
        acts: whether its top level does more than to define and to import by name.
    """

    hash: str
    folders: list[str]
    imports: dict[str, bool] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)
    acts: bool = False


@cache
def _reach(root: str) -> frozenset[str]:
    """The names of the modules that a root needs."""
    found: set[str] = set()
    left = {root: False}
    while left:
        dotted, optional = left.popitem()
        try:
            homes = {*_homes(dotted)} - found
        except ModuleNotFoundError:
            if not optional:
                raise
            continue
        found |= homes
        for name in homes:
            left |= {d: o for d, o in _module(name).imports.items() if not _is_silent(d)}
    return frozenset(found)


def _homes(dotted: str) -> Iterator[str]:
    """The module that a dotted name is defined in, and packages that act when it is imported.

    Raises:
        ModuleNotFoundError: there is none.
    """
    name, *rest = dotted.split(".")
    if not _is_followed(name):
        return
    while rest and (module := _module(name)).folders:
        following, below = rest[0], f"{name}.{rest[0]}"
        if module.acts:
            yield name
        source = module.bound.get(following, below)
        if len(rest) > 1 and source.startswith(f"{below}."):
            source = below  # the submodule, not the object of its name
        if source != below:
            if not _is_silent(source):
                yield from _homes(".".join([source, *rest[1:]]))
            return
        if following in module.defined:
            break
        if _spec(below) is None:
            makes_names = "__getattr__" in module.defined and name != OURS
            if module.acts or makes_names:
                break
            raise ModuleNotFoundError(f"{name} has no {following!r}, and {below} has no file")
        name, rest = below, rest[1:]
    yield name


def _is_silent(dotted: str) -> bool:
    parts = dotted.split(".")
    return any(".".join(parts[:length]) in SILENT for length in (2, 3))


@cache
def _is_followed(package: str) -> bool:
    """True for this package, and for a user's own that is not installed."""
    if package == OURS:
        return True
    spec = None if package in (*sys.stdlib_module_names, "__main__") else _spec(package)
    places = [*(spec.submodule_search_locations or ()), spec.origin] if spec else []
    return bool(places) and not {"site-packages", "dist-packages"} & {*Path(str(places[0])).parts}


def _spec(name: str) -> ModuleSpec | None:
    """Find a module without importing it."""
    parent = name.rpartition(".")[0]
    if parent:
        return PathFinder.find_spec(name, _module(parent).folders)
    return importlib.util.find_spec(name)


@cache
def _module(name: str) -> _Module:
    spec = _spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"{name} has no file")
    folders = [*(spec.submodule_search_locations or ())]
    content = Path(spec.origin).read_bytes() if spec.origin and spec.has_location else b""
    if spec.origin and not spec.origin.endswith(".py"):
        return _Module(hashlib.sha256(content).hexdigest()[:16], folders)
    tree = ast.parse(content)
    text = "".join(_tokens(tree))
    found = _Module(hashlib.sha256(text.encode()).hexdigest()[:16], folders)
    package = name if folders else name.rpartition(".")[0]
    _read(tree, found, package)
    return found


def _tokens(node: Any) -> Iterator[str]:
    """A syntax tree without docstrings as text; empty fields differ between Python's versions."""
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for key, value in ast.iter_fields(node):
            if value is not None and value != []:
                yield f" {key}="
                yield from _tokens(value)
        yield ")"
    elif isinstance(node, list):
        for item in node:
            if not _is_docstring(item):
                yield from _tokens(item)
    else:
        yield repr(node)


def _is_docstring(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _read(
    node: ast.AST, found: _Module, package: str, top: bool = True, spare: bool = False
) -> None:
    """Note what the statements in a node import and, at the top level, what they define.

    Args:
        node: of a module's syntax tree.
        found: where to note it.
        package: that relative imports start from.
        top: whether it is at the top level.
        spare: whether an import that fails is caught.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            _read_import(child, found, package, top, spare)
        elif isinstance(child, ast.If) and _name_of(child.test) == "TYPE_CHECKING":
            _read(ast.Module(child.orelse, []), found, package, top, spare)
        elif isinstance(child, ast.Try | ast.If | ast.ExceptHandler):
            caught = isinstance(child, ast.Try) and any(map(_catches_imports, child.handlers))
            _read(child, found, package, top, spare or caught)
        elif isinstance(child, ast.stmt | ast.match_case):
            if top and not _is_docstring(child):
                _read_definition(child, found)
            _read(child, found, package, False, spare)


def _read_definition(node: ast.AST, found: _Module) -> None:
    targets = getattr(node, "targets", None) or [getattr(node, "target", node)]
    names = {getattr(target, "id", getattr(target, "name", "")) for target in targets}
    found.defined |= names
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    found.acts |= not isinstance(node, kinds) or "" in names


def _read_import(
    node: ast.Import | ast.ImportFrom, found: _Module, package: str, top: bool, spare: bool
) -> None:
    start = ""
    if isinstance(node, ast.ImportFrom):
        above = package.split(".")[: -node.level + 1 or None] if node.level else []
        start = ".".join([*above, *([node.module] if node.module else [])])
    for alias in node.names:
        if alias.name == "*":
            dotted = start
            found.acts |= top
        else:
            dotted = f"{start}.{alias.name}" if start else alias.name
        found.imports[dotted] = found.imports.get(dotted, True) and spare
        if top and (start or alias.asname):
            found.bound[alias.asname or alias.name] = dotted
        elif top:
            found.defined.add(alias.name.partition(".")[0])


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    known = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    return any(kind is None or _name_of(kind) in known for kind in kinds)


def _name_of(node: ast.AST) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))
