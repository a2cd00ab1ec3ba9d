"""Where a run is made again."""

import os
from dataclasses import dataclass
from pathlib import Path

from colorizer.errors import UserError
from colorizer.runs import Run

ROOT = Path("outputs/reproduced")


@dataclass
class Folders:
    """The folder of a reproduction: `code`, a checkout; `venv`, the packages; `run`, what it makes.

    Raises:
        UserError: the folder holds something else, or cannot be made.
    """

    root: Path

    def __post_init__(self) -> None:
        try:
            self.root = self.root.absolute()
            self.root.mkdir(parents=True, exist_ok=True)
            found = {path.name for path in self.root.iterdir()}
        except OSError as error:
            raise UserError(f"cannot make {self.root}: {error.strerror}") from error
        if not found <= {"code", "venv", "run", self.request.name}:
            raise UserError(f"{self.root} is not empty; a run is made again in a folder of its own")

    @classmethod
    def of(cls, run: Run) -> "Folders":
        """The usual folder of a run: `outputs/first/0` is made in `outputs/reproduced/first-0`."""
        *_, above, name = (os.sep, *run.folder.absolute().parts)
        return cls(ROOT / f"{above}-{name}")

    @property
    def code(self) -> Path:
        """The checkout."""
        return self.root / "code"

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / "venv"

    @property
    def run(self) -> Path:
        """The run directory."""
        return self.root / "run"

    @property
    def request(self) -> Path:
        """What is asked of the process that trains."""
        return self.root / "request.json"
