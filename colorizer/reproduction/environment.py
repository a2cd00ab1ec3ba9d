"""The packages of a run, installed again."""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from colorizer.errors import RunError, UserError, shown
from colorizer.runs import Run, canonical, flat, lock_of, machine

log = logging.getLogger(__name__)

# What pip says of a package that it cannot find, or cannot build.
MISSING = re.compile(
    r"No matching distribution found for (?P<none>[\w.-]+)"
    r"|Failed (?:to build|building wheel for) '?(?P<broken>[\w.-]+)"
)

# Versions of what is installed for a Python.
LIST = "import importlib.metadata as m, json; " + (
    "print(json.dumps({d.name: d.version for d in m.distributions()}))"
)


@dataclass
class Environment:
    """A Python with the packages of a run.

    Args:
        python: its interpreter.
        differences: from what is on record, a line each.
        paths: where it looks for modules, before its packages.
    """

    python: Path
    differences: list[str] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)

    @classmethod
    def here(cls, run: Run) -> "Environment":
        """The Python of this process, and how its packages differ from the run's."""
        made = cls(Path(sys.executable), [_python_difference(run, sys.version.split()[0])])
        made.differences = [line for line in made.differences if line]
        made.differences += _package_differences(run, _installed(made.python))
        return made

    @classmethod
    def fresh(cls, run: Run, code: Path, folder: Path) -> "Environment":
        """A new virtual environment with every version on record, installed by pip.

        What is not to be had is replaced by the same version of another build, or by what the code
        asks for; if it asks for none, it is left out. Each is among the differences.

        Args:
            run: with its lock.
            code: its checkout, which is installed, too.
            folder: of the environment; one that is there is gone on with.

        Raises:
            UserError: the run has no lock, or pip cannot install the code.
        """
        lock = lock_of(run)
        if lock is None:
            raise UserError(
                f"{run.folder} does not say which versions were installed: --here takes those that "
                "are installed now"
            )
        base, version = _interpreter(str(run.environment.get("python", "")))
        python = folder / "bin" / "python"
        if not python.exists():
            _checked([str(base), "-m", "venv", str(folder)], f"cannot make {folder}")
        _install(python, {re.split("==| @ ", line)[0]: line for line in lock}, _required(code))
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(code)]
        _checked(install, "pip cannot install the code of the run")
        python_difference = _python_difference(run, version)
        made = cls(python, [python_difference] if python_difference else [])
        made.differences += _package_differences(run, _installed(python))
        return made


def machine_differences(run: Run) -> list[str]:
    """How this machine differs from that of a run, as far as the last bits depend on it."""
    then = dict(flat({key: run.environment.get(key) for key in ("cpu", "gpus", "platform")}))
    now = dict(flat(machine()))
    known = [key for key in then if then[key] is not None]
    return [
        f"{key}: {shown(then[key])} on record, {shown(now.get(key))} here"
        for key in known
        if then[key] != now.get(key)
    ]


def _interpreter(wanted: str) -> tuple[Path, str]:
    """A Python of the version on record, or near it, and its version."""
    minor = ".".join(wanted.split(".")[:2])
    present = Path(sys.executable), sys.version.split()[0]
    if present[1] == wanted or not re.fullmatch(r"3\.\d+", minor):
        return present
    found = shutil.which(f"python{minor}")
    if not found:
        return present
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = said.removeprefix("Python ").strip()
    return (Path(found), version) if version.startswith(f"{minor}.") else present


def _python_difference(run: Run, version: str) -> str:
    recorded = run.environment.get("python")
    return f"python: {recorded} on record, {version} here" if recorded != version else ""


def _required(code: Path) -> dict[str, str]:
    """What the code asks for, without its extras: name to requirement."""
    content = tomllib.loads((code / "pyproject.toml").read_text())
    lines = content["project"]["dependencies"]
    return {canonical(re.split(r"[^\w.-]", line)[0]): line for line in lines}


def _install(python: Path, wanted: dict[str, str], required: Mapping[str, str]) -> None:
    """Install what pip is asked for; what cannot be had is replaced or left out."""
    log.info(f"installing {len(wanted)} packages")
    while wanted:
        command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", *wanted.values()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        missing = {canonical(m["none"] or m["broken"]) for m in MISSING.finditer(done.stderr)}
        missing &= wanted.keys()
        if not missing:
            raise RunError(f"pip cannot install the packages: {_end(done.stderr)}")
        for name in missing:
            other = _instead(name, wanted.pop(name), required)
            log.info(f"{name}: not to be had" + (f"; {other} instead" if other else ""))
            if other:
                wanted[name] = other


def _instead(name: str, asked: str, required: Mapping[str, str]) -> str | None:
    """What to ask pip for, where it has not what it was asked for."""
    public = re.sub(r"\+.*$", "", asked)  # such as 2.8.0+cpu, which its own index has alone
    if "==" in asked and public != asked:
        return public
    return required[name] if name in required and required[name] != asked else None


def _installed(python: Path) -> dict[str, str]:
    done = subprocess.run([str(python), "-c", LIST], capture_output=True, text=True, check=True)
    return {canonical(name): version for name, version in json.loads(done.stdout).items()}


def _package_differences(run: Run, now: Mapping[str, str]) -> list[str]:
    """A line for each package of a run's lock that is not there, or in another version."""
    found = []
    for line in lock_of(run) or ():
        name, _, version = line.partition("==")
        if version and now.get(name) != version:
            found.append(f"{name}: {version} on record, {now.get(name, 'not to be had')} here")
    return found


def _checked(command: list[str], mistake: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise UserError(f"{mistake}: {_end(done.stderr)}")


def _end(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return shown(" ".join(lines[-2:]), most=400)
