"""Trained colorizers as files, with the config that builds them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor

from colorizer.cards import halved, load_new, read_card, write_card
from colorizer.colorizer import Colorizer
from colorizer.config import build_colorizer, changed
from colorizer.errors import UserError, in_a_line, nearest, shown
from colorizer.runs import BEST, Run, open_scored

FOLDER = Path(__file__).parent

KIND = "colorizer"

SUFFIX = ".safetensors"

# Of a run's config, what is needed to build and to score it.
CONFIG = ("model", "representation", "data")

# Of its results, on what it was trained, and how long.
RESULTS = (
    "protocol",
    "data",
    "parameters",
    "epochs",
    "train/seconds",
    "train_fingerprint",
    "val_fingerprint",
    "test_fingerprint",
)


class Weights:
    """A trained colorizer in a file.

    `config` has its model, its representation and its data; `results`, on what it was trained and
    what its run scored.

    Args:
        which: the name of one that comes with the package, or a path.

    Raises:
        UserError: there is no such name or file, or it is cut short, or not a complete colorizer.
    """

    def __init__(self, which: str | Path) -> None:
        name = str(which)
        self.path = FOLDER / f"{name}{SUFFIX}" if name in names() else Path(name)
        try:
            is_file, is_folder = self.path.is_file(), self.path.is_dir()
        except OSError:  # such as a name that is too long
            is_file = is_folder = False
        if is_folder:
            raise UserError(f"{name} is a folder: colorizer weights RUN -o FILE makes weights")
        if not is_file:
            raise UserError(f"there are no weights {shown(repr(name))}.{nearest(name, names())}")
        self.card, self._tensors = read_card(self.path, KIND)
        for key, needed in (("config", CONFIG), ("results", RESULTS)):
            content = self.card.get(key)
            there = content if isinstance(content, dict) else {}
            missing = [name for name in needed if there.get(name) is None]
            if missing:
                raise UserError(f"{self.path} has a card without {key}.{min(missing)}")
        try:
            self.config: DictConfig = OmegaConf.create(self.card["config"])
        except OmegaConfBaseException as error:  # such as ${ without an end
            raise UserError(
                f"{self.path} has a card that cannot be read: {in_a_line(error)}"
            ) from error
        self.results: dict[str, Any] = self.card["results"]

    @property
    def name(self) -> str:
        """The file's, without its ending."""
        return self.path.stem

    @property
    def folder(self) -> Path:
        """The file without its ending."""
        return self.path.with_suffix("")

    def tensors(self) -> dict[str, Tensor]:
        """The colorizer's weights by name, in single precision."""
        return self._tensors

    def colorizer(
        self, weights: str = BEST, trust: Iterable[str] = (), changes: Sequence[str] = ()
    ) -> Colorizer:
        """The colorizer, in evaluation mode, on the CPU.

        Args:
            weights: the only choice.
            trust: see `build_trusted`.
            changes: see `changed`.

        Raises:
            UserError: weights of another architecture than the card describes, or of a class that
                is not trusted.
        """
        if weights != BEST:
            raise UserError(f"{self.path} holds the best weights alone")
        config = changed(self.config, changes)
        says = f"its card with {' '.join(changes)}" if changes else "its card"
        mistake = f"{self.path} holds weights of another architecture than {says} describes"
        made = load_new(lambda: build_colorizer(config, trust), self._tensors, mistake)
        return made.eval().requires_grad_(False)


def names() -> list[str]:
    """The colorizers that come with the package."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def open_trained(which: str | Path, weights: str | None = None) -> Run | Weights:
    """A run directory, or weights by name or file.

    Args:
        which: the directory, the name or the file.
        weights: of a run, see `open_scored`.

    Raises:
        UserError: there is no such thing; or see `open_scored` and `Weights`.
    """
    name = str(which)
    named = name in names() or name.endswith(SUFFIX)
    try:
        is_folder, is_there = Path(which).is_dir(), Path(which).exists()
    except OSError:  # such as a name that is too long
        is_folder = is_there = False
    if name not in names() and (is_folder or (is_there and not named)):
        return open_scored(which, weights)
    if not named:
        raise UserError(
            f"there is no run, and are no weights, {shown(repr(name))}.{nearest(name, names())}"
        )
    return Weights(which)


def save_weights(
    run: Run,
    path: Path,
    trust: Sequence[str] = (),
    changes: Sequence[str] = (),
    checkpoint: str = BEST,
) -> None:
    """Write a run's weights, in half precision.

    Args:
        run: see `open_scored`.
        path: the file, made or replaced.
        trust: see `Run.colorizer`.
        changes: of its config, see `changed`; its scores are left out then.
        checkpoint: whose weights; scores are of the best.

    Raises:
        UserError: see `Run.colorizer` and `changed`; or the file cannot be written.
    """
    colorizer = run.colorizer(checkpoint, trust, changes)
    content: Any = OmegaConf.to_container(changed(run.config, changes))
    git = run.environment["git"] or {}
    as_scored = not changes and run.results.get("weights") in (checkpoint, None)
    scored = run.numbers if as_scored else {}
    notes = {"note": run.results["note"]} if "note" in run.results else {}
    scores = {key: value for key, value in scored.items() if key.startswith(("val/", "test/"))}
    card = {
        "config": {key: content[key] for key in CONFIG},
        "results": {**{key: run.results[key] for key in RESULTS}, **notes, **scores},
        "seed": run.config.seed,
        "start_from": run.config.get("start_from"),
        "command": run.environment["command"],
        "changes": list(changes),
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
    }
    write_card(halved(colorizer), KIND, card, path)
