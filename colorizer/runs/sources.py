"""The code of a run that no commit holds, and the versions of all that is installed."""

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from colorizer.files import atomic_write, write_text
from colorizer.fingerprint import OURS
from colorizer.runs.layout import LOCKED, OWN, PATCH

# What of a checkout can change a run.
SOURCES = ("colorizer", "conf", "hydra_plugins", "pyproject.toml")

# Of that, what is kept where it differs from the commit: sources and configs, never data.
KEPT = (".py", ".pyi", ".yaml", ".yml", ".toml", ".jinja")

# In bytes: of a file, and of all files of a run.
MOST_FILE, MOST = 400_000, 4_000_000


@dataclass(frozen=True)
class Uncommitted:
    """What of `SOURCES` differs from the commit.

    Args:
        commit: the checkout's.
        dirty: whether anything differs.
        patch: from the commit to the files as they are, new ones included.
        left_out: changed files that the patch leaves out: no sources, or too large.
    """

    commit: str
    dirty: bool
    patch: bytes
    left_out: tuple[str, ...]


def checkout() -> Path | None:
    """The checkout that the package is run from; None for an installed package."""
    root = Path(__file__).parents[2]
    return root if (root / ".git").exists() else None


def git(root: Path, *arguments: str, **variables: str) -> bytes:
    """The output of git in a folder.

    Raises:
        OSError: there is no git.
        subprocess.CalledProcessError: it failed; `stderr` says why.
    """
    command = ["git", "-C", str(root), *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, check=True, env=environment).stdout


@contextlib.contextmanager
def scratch(root: Path) -> Iterator[dict[str, str]]:
    """Variables by which git keeps new objects and its index elsewhere, and reads a checkout's."""
    with tempfile.TemporaryDirectory() as folder:
        objects = (
            root / git(root, "rev-parse", "--git-path", "objects").decode().strip()
        ).resolve()
        (Path(folder) / "objects").mkdir()
        yield {
            "GIT_INDEX_FILE": f"{folder}/index",
            "GIT_OBJECT_DIRECTORY": f"{folder}/objects",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
        }


@cache
def uncommitted() -> Uncommitted | None:
    """What is not committed of the checkout; None where there is none, or no git.

    As it was when first asked for: a process goes on with the code that it has read.
    """
    root = checkout()
    try:
        return uncommitted_in(root) if root else None
    except (OSError, subprocess.CalledProcessError):
        return None


def uncommitted_in(root: Path) -> Uncommitted:
    """What is not committed of a checkout.

    Raises:
        OSError, subprocess.CalledProcessError: see `git`.
    """
    commit = git(root, "rev-parse", "HEAD").decode().strip()
    listed = ("--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", *SOURCES)
    changed = {entry[3:] for entry in _paths(git(root, "status", *listed))}
    kept = {*_bounded({path: root / path for path in changed})}
    patch = b""
    if kept:
        tree = ("ls-tree", "-r", "--name-only", "-z", "HEAD", "--", *kept)
        new = [path for path in kept - _paths(git(root, *tree)) if (root / path).is_file()]
        with scratch(root) as aside:
            git(root, "read-tree", "HEAD", **aside)
            if new:
                git(root, "add", "--intent-to-add", "--", *new, **aside)
            plain = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
            sides = ("--src-prefix=a/", "--dst-prefix=b/")
            patch = git(root, "diff", *plain, *sides, "HEAD", "--", *sorted(kept), **aside)
    return Uncommitted(commit, bool(changed), patch, tuple(sorted(changed - kept)))


def _paths(output: bytes) -> set[str]:
    """What git lists with a NUL after each."""
    return {*os.fsdecode(output).split("\0")} - {""}


def _bounded(files: Mapping[str, Path]) -> Iterator[str]:
    """The names of the sources and configs among some files, the smallest first, up to `MOST`."""
    sizes = {
        name: path.stat().st_size if path.is_file() else 0
        for name, path in files.items()
        if path.suffix in KEPT and not path.is_symlink()
    }
    total = 0
    for name in sorted(sizes, key=lambda name: (sizes[name], name)):
        total += sizes[name]
        if sizes[name] <= MOST_FILE and total <= MOST:
            yield name


def own_files(modules: Iterable[str]) -> dict[str, Path]:
    """The sources of a user's own packages, which no commit of ours holds.

    Args:
        modules: that a run needs, see `colorizer.fingerprint.modules`.

    Returns:
        Path below an import path to the file; of a package all that it has, as its `__init__` may
        import more than the run needs.
    """
    found: dict[str, Path] = {}
    for package in sorted({name.partition(".")[0] for name in modules} - {OURS}):
        spec = importlib.util.find_spec(package)
        for place in spec.submodule_search_locations or () if spec else ():
            folder = Path(place)
            inside = (path for path in folder.rglob("*") if path.is_file())
            found |= {f"{package}/{path.relative_to(folder).as_posix()}": path for path in inside}
        if spec and spec.origin and not spec.submodule_search_locations:
            found[Path(spec.origin).name] = Path(spec.origin)
    return {name: found[name] for name in sorted(_bounded(found))}


@cache
def installed() -> dict[str, str]:
    """Name to what pip is asked for of everything that is installed, but this package and pip."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = canonical(str(distribution.name))
        if name not in (OURS, "pip"):
            found.setdefault(name, _pinned(name, distribution))
    return dict(sorted(found.items()))


def canonical(name: str) -> str:
    """A package's name as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pinned(name: str, distribution: importlib.metadata.Distribution) -> str:
    """`NAME==VERSION`, or the commit of a repository that it was installed from."""
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    version_control = origin.get("vcs_info")
    if version_control:
        url = f"{version_control['vcs']}+{origin['url']}@{version_control['commit_id']}"
        return f"{name} @ {url}"
    return f"{name}=={distribution.version}"


def keep_sources(folder: Path, modules: Iterable[str]) -> None:
    """Write what a run directory needs to have its code and its packages again.

    Raises:
        OSError: the folder cannot be written to.
    """
    (folder / PATCH).unlink(missing_ok=True)
    shutil.rmtree(folder / OWN, ignore_errors=True)
    state = uncommitted()
    if state and state.patch:
        with atomic_write(folder / PATCH) as part:
            part.write_bytes(state.patch)
    for name, path in own_files(modules).items():
        (folder / OWN / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / OWN / name)
    write_text(folder / LOCKED, "".join(f"{line}\n" for line in installed().values()))
