"""Studies: folders with a question, its sweep, and the records of its runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from colorizer.errors import UserError, nearest
from colorizer.files import read_yaml

STUDIES = Path("experiments")

# Below a study's folder: what `colorizer study --keep` writes, without weights.
RECORDS = "runs"


@dataclass
class Study:
    """The `study.yaml` of a study.

    Args:
        folder: named like the study.
        question: in a sentence.
        overrides: of `colorizer train -m`.
        evaluate: whether its runs are scored by the whole protocol, too.
    """

    folder: Path
    question: str
    overrides: list[str]
    evaluate: bool = False

    @property
    def name(self) -> str:
        """The name of the study, and of its sweep."""
        return self.folder.name

    def command(self, extra: Sequence[str] = ()) -> list[str]:
        """The arguments of `colorizer train` that run it."""
        return ["-m", f"study={self.name}", *self.overrides, *extra]

    @classmethod
    def open(cls, name: str) -> "Study":
        """The study of that name below experiments/, or in that folder.

        Raises:
            UserError: there is none, or its study.yaml cannot be used.
        """
        folder = next(
            (f for f in (STUDIES / name, Path(name)) if (f / "study.yaml").is_file()), None
        )
        if folder is None:
            known = [path.parent.name for path in STUDIES.glob("*/study.yaml")]
            raise UserError(
                f"there is no study {name!r}: neither {STUDIES / name}/study.yaml nor "
                f"{name}/study.yaml.{nearest(name, known)}"
            )
        path = folder / "study.yaml"
        content = read_yaml(path)
        if not isinstance(content, dict) or (
            set(content) - {"evaluate"} != {"question", "overrides"}
        ):
            raise UserError(
                f"{path}: it has to have a question and a list of overrides, and may have evaluate"
            )
        if not isinstance(content["overrides"], list):
            raise UserError(f"{path}: overrides is a list, as of colorizer train -m")
        overrides = [str(override) for override in content["overrides"]]
        evaluate = bool(content.get("evaluate", False))
        return cls(folder.resolve(), str(content["question"]), overrides, evaluate)
