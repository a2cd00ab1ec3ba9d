"""Paths of the config files; imports nothing, so that `colorizer --help` answers at once."""

from pathlib import Path


def config_folder() -> Path:
    """`conf/`: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    return next(path for path in (package / "conf", package.parent / "conf") if path.is_dir())


def options(group: str) -> list[str]:
    """The files of a config group by name."""
    return sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))


def groups() -> list[str]:
    """The config groups; Hydra's own, launchers and sweepers, are not among them."""
    folders = (path.name for path in config_folder().iterdir() if path.is_dir())
    return sorted(name for name in folders if name != "hydra")
