"""Colorizers as files that hold all that is needed to build and to score them again."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer.cards import halved, read_card, write_card
from colorizer.colorizer import Colorizer
from colorizer.config import nearest
from colorizer.errors import UserError
from colorizer.runs import BEST, Run, build_colorizer

FOLDER = Path(__file__).parent

KIND = "colorizer"

SUFFIX = ".safetensors"

# Of a run's results, what says on what it was trained and how well it did.
RESULTS = ("protocol", "data", "parameters", "epochs", "train/seconds")


class Weights:
    """A trained colorizer in a file.

    Args:
        which: the name of one that comes with the package, or a path.

    Raises:
        UserError: there is no such name or file, or it is cut short or no colorizer.
    """

    def __init__(self, which: str | Path) -> None:
        self.path = FOLDER / f"{which}{SUFFIX}" if str(which) in names() else Path(which)
        if not self.path.is_file():
            raise UserError(f"there are no weights {str(which)!r}.{nearest(str(which), names())}")
        self.card, self._tensors = read_card(self.path, KIND)

    @property
    def name(self) -> str:
        """The file's, without its ending."""
        return self.path.stem

    @property
    def folder(self) -> Path:
        """The file without its ending."""
        return self.path.with_suffix("")

    @cached_property
    def config(self) -> DictConfig:
        """Of the model, the representation and the data."""
        return OmegaConf.create(self._of_card("config"))

    @property
    def results(self) -> dict[str, Any]:
        """On what it was trained, and the scores of its run."""
        return self._of_card("results")

    def _of_card(self, key: str) -> dict[str, Any]:
        content = self.card.get(key)
        if not isinstance(content, dict):
            raise UserError(f"{self.path} has a card without {key}")
        return content

    def colorizer(self, weights: str = BEST, trust: Iterable[str] = ()) -> Colorizer:
        """The colorizer, in evaluation mode, on the CPU.

        Args:
            weights: there is one choice.
            trust: packages beside the project's own that its config may instantiate from.

        Raises:
            UserError: weights of another architecture than the card says, or of a class that is
                not trusted.
        """
        if weights != BEST:
            raise UserError(f"{self.path} holds the best weights alone")
        made = build_colorizer(self.config, trust)
        try:
            made.load_state_dict(self._tensors)
        except RuntimeError as error:
            raise UserError(
                f"{self.path} holds weights of another architecture than its card says"
            ) from error
        return made.eval()


def names() -> list[str]:
    """The colorizers that come with the package."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def save_weights(run: Run, path: Path, trust: Sequence[str] = ()) -> None:
    """Write a run's best weights, in half precision.

    Args:
        run: a finished one.
        path: the file, made or replaced.
        trust: see `Run.colorizer`.

    Raises:
        UserError: see `Run.colorizer`; or the file cannot be written.
    """
    colorizer = run.colorizer(BEST, trust)
    content: Any = OmegaConf.to_container(run.config)
    git = run.environment["git"] or {}
    scores = {key: value for key, value in run.numbers.items() if key.startswith(("val/", "test/"))}
    kept = [key for key in run.results if key in RESULTS or key.endswith("_fingerprint")]
    card = {
        "config": {key: content[key] for key in ("model", "representation", "data")},
        "results": {**{key: run.results[key] for key in kept}, **scores},
        "seed": run.config.seed,
        "command": run.environment["command"],
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_card(halved(colorizer), KIND, card, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
