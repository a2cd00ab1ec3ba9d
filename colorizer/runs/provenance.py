"""What a run says of its code and of its packages."""

import difflib
import re
import subprocess
from pathlib import Path
from typing import Any

from colorizer.errors import UserError, shown
from colorizer.fingerprint import fingerprint_of
from colorizer.runs.layout import LOCKED, OWN, PATCH
from colorizer.runs.run import Run
from colorizer.runs.sources import SOURCES, canonical, checkout, git, scratch


def commit_of(run: Run) -> str:
    """The commit of the checkout that a run was started from.

    Raises:
        UserError: there is none on record.
    """
    state: dict[str, Any] = run.environment.get("git") or {}
    commit = state.get("commit", "")
    if not commit:
        raise UserError(f"{run.folder} names no commit: it was not started from a checkout")
    if not re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", commit):
        raise UserError(f"{run.folder}: {shown(commit)} is no commit")
    return str(commit)


def not_kept(run: Run) -> list[str]:
    """What of a run's code neither its commit nor its folder holds, in words."""
    state: dict[str, Any] = run.environment.get("git") or {}
    missing = [f"{path} was changed, and is not kept" for path in state.get("left_out", ())]
    if state.get("dirty") and not missing and not (run.folder / PATCH).is_file():
        missing.append("it had changes that were not committed, and are not kept")
    modules = run.environment.get("modules")
    if modules and fingerprint_of(modules) != run.status.get("code"):
        missing.append("it was gone on with by another version of the code (resume=anyway)")
    return missing


def lock_of(run: Run) -> list[str] | None:
    """What pip is asked for to install the packages of a run; None where it was not kept.

    Raises:
        UserError: the file is damaged, or has anything but names with versions or commits.
    """
    path = run.folder / LOCKED
    try:
        lines = path.read_text().splitlines() if path.is_file() else None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read") from error
    for line in lines or ():
        # Such as --index-url, which says where packages come from.
        if not re.fullmatch(r"[\w.-]+(==[\w.+!-]+| @ \w+\+\S+@[0-9a-f]{40})", line):
            raise UserError(f"{path} cannot be read: {shown(line)}: NAME==VERSION is asked for")
    return lines


def packages_of(run: Run) -> dict[str, str]:
    """Name to version of what was installed; of older records, of what this package requires."""
    lines = lock_of(run)
    if lines is None:
        known: dict[str, str] = run.environment.get("packages", {})
        return {canonical(name): version for name, version in known.items()}
    return dict(line.replace(" @ ", "==", 1).split("==", 1) for line in lines)


def patch_between(one: Run, other: Run) -> str:
    """The patch from the code of a run to that of another, users' own modules included.

    Raises:
        UserError: the code of one is not to be had from this checkout.
    """
    return _between_commits(one, other) + _between_own(one.folder / OWN, other.folder / OWN)


def _between_commits(one: Run, other: Run) -> str:
    root = checkout()
    commits = [commit_of(run) for run in (one, other)]
    patched = any((run.folder / PATCH).is_file() for run in (one, other))
    if commits[0] == commits[1] and not patched:
        return ""
    if root is None:
        raise UserError("colorizer is not run from a checkout: it has no commits")
    with scratch(root) as aside:
        trees = [_tree(run, root, aside) for run in (one, other)]
        plain = ("--no-color", "--no-ext-diff", "--no-textconv")
        patch = git(root, "diff", *plain, *trees, "--", *SOURCES, **aside)
    return patch.decode(errors="replace")


def _tree(run: Run, root: Path, aside: dict[str, str]) -> str:
    """The name of git's tree of a run's code."""
    commit = commit_of(run)
    try:
        git(root, "read-tree", commit, **aside)
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"{run.folder}: its commit {commit[:12]} is not in {root}") from error
    patch = run.folder / PATCH
    try:
        if patch.is_file():
            git(root, "apply", "--cached", "--whitespace=nowarn", str(patch.absolute()), **aside)
        return git(root, "write-tree", **aside).decode().strip()
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode(errors="replace").strip()
        raise UserError(f"{patch} does not fit its commit: {shown(why)}") from error


def _between_own(one: Path, other: Path) -> str:
    def read(folder: Path, name: str) -> list[str]:
        path = folder / name
        return path.read_text(errors="replace").splitlines() if path.is_file() else []

    names = {
        path.relative_to(folder).as_posix()
        for folder in (one, other)
        for path in folder.rglob("*")
        if path.is_file()
    }
    lines: list[str] = []
    for name in sorted(names):
        before, after = (read(folder, name) for folder in (one, other))
        path = f"{OWN}/{name}"
        lines += difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", lineterm="")
    return "".join(f"{line}\n" for line in lines)
