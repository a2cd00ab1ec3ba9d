"""The house: commands above experiments above science above the ground; imports go down only."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = {
    "ground": {
        *(
            "annotations",
            "cache",
            "cards",
            "color",
            "colorizer",
            "console",
            "costs",
            "errors",
            "files",
            "fingerprint",
            "haar",
        ),
        *(
            "interfaces",
            "paths",
            "picture_files",
            "pictures",
            "processes",
            "ranges",
            "quiet",
            "signals",
            "statistics",
            "loggers",
            "tracking",
        ),
    },
    "science": {
        *("callbacks", "data", "judge", "losses", "metrics", "models", "representations"),
        *("schedulers", "tasks"),
    },
    "experiments": {
        *("benchmark", "config", "dashboard", "evaluation", "export", "loaded", "photographs"),
        *("preflight", "report", "reproduction", "runs", "serve", "sweeps", "train", "trainer"),
        *("weights", "__init__"),
    },
    "commands": {"__main__", "cli", "commands", "hydra_plugins"},
}
LEVEL = {room: level for level, rooms in enumerate(FLOORS.values()) for room in rooms}

# They answer a command line, or write for those that do.
MAY_PRINT = ("colorizer.cli", "colorizer.console", "colorizer.commands")

Import = tuple[str, str, int]


def modules(root: Path) -> dict[str, Path]:
    """Every module of the package and of the plugins by its dotted name."""
    found = {}
    for package in ("colorizer", "hydra_plugins"):
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root: Path) -> Iterator[Import]:
    """Every import of ours, at the top of a module or inside a function: from, to, line."""
    known = modules(root)
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}:{node.lineno}: a relative import"
                below = [f"{node.module}.{alias.name}" for alias in node.names]
                targets = [full if full in known else str(node.module) for full in below]
            else:
                continue
            yield from ((name, target, node.lineno) for target in targets if target in known)


def room(module: str) -> str:
    """`colorizer.data.base` is in `data`, `colorizer` itself in `__init__`."""
    parts = module.split(".")
    return parts[0] if parts[0] != "colorizer" else (parts[1:] or ["__init__"])[0]


def upward(root: Path) -> list[str]:
    """A line for each import that goes up."""
    known = modules(root)
    return [
        f"{known[source].relative_to(root)}:{line} imports {target}, which is above it"
        for source, target, line in imports(root)
        if LEVEL[room(source)] < LEVEL[room(target)]
    ]


def circle(edges: list[tuple[str, str]]) -> list[str]:
    """Modules or rooms that import each other in a circle; empty where there is none."""
    graph: dict[str, set[str]] = {}
    for source, target in edges:
        if source != target:
            graph.setdefault(source, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_every_room_is_on_a_floor() -> None:
    assert {room(module) for module in modules(ROOT)} == set(LEVEL)


def test_imports_go_down_only() -> None:
    assert upward(ROOT) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circle([(source, target) for source, target, _ in imports(ROOT)]) == []


def test_no_rooms_import_each_other_in_a_circle() -> None:
    assert circle([(room(source), room(target)) for source, target, _ in imports(ROOT)]) == []


def test_a_late_import_that_goes_up_is_named_with_its_line(tmp_path: Path) -> None:
    for name in ("commands", "models"):
        (tmp_path / "colorizer" / name).mkdir(parents=True)
    (tmp_path / "colorizer" / "commands" / "train.py").write_text("")
    late = "def build():\n    from colorizer.commands import train\n    return train\n"
    (tmp_path / "colorizer" / "models" / "mine.py").write_text(late)
    (found,) = upward(tmp_path)
    assert found.startswith("colorizer/models/mine.py:2 imports colorizer.commands.train")


@pytest.mark.parametrize(
    ("edges", "found"),
    [([("a", "b"), ("b", "c"), ("a", "c")], False), ([("a", "b"), ("b", "c"), ("c", "a")], True)],
)
def test_a_circle_is_found(edges: list[tuple[str, str]], found: bool) -> None:
    assert bool(circle(edges)) == found


def test_only_commands_print() -> None:
    """`say`, `complain` and the streams are used by the commands alone; the others log."""
    for name, path in modules(ROOT).items():
        if name.startswith(MAY_PRINT):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            plain = isinstance(called, ast.Name) and called.id in ("say", "complain", "print")
            stream = (
                ast.unparse(called).startswith(("sys.stdout.", "sys.stderr.w")) if called else 0
            )
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} prints"
            assert not plain, where
            assert not stream, where


def test_files_and_functions_can_be_read_in_one_sitting() -> None:
    """At most 300 lines a file, and 50 a function without its docstring."""
    long = []
    for path in modules(ROOT).values():
        source = path.read_text()
        if len(source.splitlines()) > 300:
            long.append(f"{path.relative_to(ROOT)}")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                first = node.body[0]
                if ast.get_docstring(node) and first.end_lineno:
                    lines -= first.end_lineno - first.lineno + 1
                if lines > 50:
                    long.append(f"{path.relative_to(ROOT)}:{node.name}, {lines} lines")
    assert long == []
