"""Trained colorizers as files, with the config that builds them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor

from colorizer.cards import halved, load_new, read_card, write_card
from colorizer.colorizer import Colorizer
from colorizer.config import build_colorizer, changed
from colorizer.errors import UserError, in_a_line, nearest, shown

if TYPE_CHECKING:
    from colorizer.runs import Run  # with Lightning, which takes seconds to import

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

# And what it scored.
SCORES = ("val/", "test/")


class Weights:
    """A trained colorizer in a file.

    `config` has its model, its representation and its data; `results`, on what it was trained and
    what its run scored.

    Args:
        which: the name of one that comes with the package, see `names`, or a path.

    Raises:
        UserError: there is no such name or file, or it is cut short, or not a complete colorizer.
    """

    def __init__(self, which: str | Path) -> None:
        name = str(which)
        self.path = _shipped(name) or Path(name)
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
        self, weights: str | None = None, trust: Iterable[str] = (), changes: Sequence[str] = ()
    ) -> Colorizer:
        """The colorizer, in evaluation mode, on the CPU.

        Args:
            weights: None, or the best, which is all there is.
            trust: see `build_trusted`.
            changes: see `changed`.

        Raises:
            UserError: weights of another architecture than the card describes, or of a class that
                is not trusted.
        """
        if weights is not None and weights != _best():
            raise UserError(f"{self.path} holds the best weights alone")
        config = changed(self.config, changes)
        says = f"its card with {' '.join(changes)}" if changes else "its card"
        mistake = f"{self.path} holds weights of another architecture than {says} describes"
        made = load_new(lambda: build_colorizer(config, trust), self._tensors, mistake)
        return made.eval().requires_grad_(False)


def _best() -> str:
    from colorizer.runs import BEST

    return BEST


def names() -> list[str]:
    """The colorizers that come with the package.

    A name stands for its newest version. `NAME@1` is the first, and so on: an older one is listed,
    and the newest, where there are two, is also `NAME@2`.
    """
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def _shipped(name: str) -> Path | None:
    """The file of a name that comes with the package, with or without a version."""
    base, _, version = name.partition("@")
    older = sum(known.startswith(f"{base}@") for known in names())
    stem = base if version == str(older + 1) else name
    return FOLDER / f"{stem}{SUFFIX}" if stem in names() else None


def open_trained(which: str | Path, weights: str | None = None) -> "Run | Weights":
    """A run directory, or weights by name or file.

    Args:
        which: the directory, the name or the file.
        weights: of a run, see `open_scored`.

    Raises:
        UserError: there is no such thing; or see `open_scored` and `Weights`.
    """
    name = str(which)
    shipped = _shipped(name) is not None
    named = shipped or name.endswith(SUFFIX)
    try:
        is_folder, is_there = Path(which).is_dir(), Path(which).exists()
    except OSError:  # such as a name that is too long
        is_folder = is_there = False
    if not shipped and (is_folder or (is_there and not named)):
        from colorizer.runs import open_scored

        return open_scored(which, weights)
    if not named:
        raise UserError(
            f"there is no run, and are no weights, {shown(repr(name))}.{nearest(name, names())}"
        )
    return Weights(which)


def save_weights(
    run: "Run",
    path: Path,
    trust: Sequence[str] = (),
    changes: Sequence[str] = (),
    checkpoint: str | None = None,
    working_resolution: int | None = None,
) -> None:
    """Write a run's weights, in half precision.

    Args:
        run: see `open_scored`.
        path: the file, made or replaced.
        trust: see `Run.colorizer`.
        changes: of its config, see `changed`; its scores are left out then.
        checkpoint: whose weights; None: the best, of which scores are.
        working_resolution: the shorter side, in pixels, at which it sees photographs; None: see
            `colorizer.photographs.resolution_of`.

    Raises:
        UserError: see `Run.colorizer` and `changed`; or the file cannot be written.
    """
    checkpoint = checkpoint or _best()
    colorizer = run.colorizer(checkpoint, trust, changes)
    card = card_of(run, changes, checkpoint)
    if working_resolution is not None:
        card["working_resolution"] = working_resolution
    write_card(halved(colorizer), KIND, card, path)


def card_of(
    trained: "Run | Weights", changes: Sequence[str] = (), checkpoint: str | None = None
) -> dict[str, Any]:
    """The card of a run's weights: config, results, seed, command and commit, as JSON values.

    Args:
        trained: of weights in a file, the file's own.
        changes: of the config, see `changed`; scores are left out then.
        checkpoint: whose weights; None: the best, of which scores are.

    Raises:
        UserError: see `changed`.
    """
    config = changed(trained.config, changes)
    content: Any = OmegaConf.to_container(config)
    content = {key: content[key] for key in CONFIG}
    if isinstance(trained, Weights):
        results = trained.results if not changes else _unscored(trained.results)
        made = [*trained.card.get("changes", ()), *changes]
        return {**trained.card, "config": content, "results": results, "changes": made}
    run, checkpoint = trained, checkpoint or _best()
    git = run.environment["git"] or {}
    as_scored = not changes and run.results.get("weights") in (checkpoint, None)
    scored = run.numbers if as_scored else {}
    notes = {"note": run.results["note"]} if "note" in run.results else {}
    scores = {key: value for key, value in scored.items() if key.startswith(SCORES)}
    return {
        "config": content,
        "results": {**{key: run.results[key] for key in RESULTS}, **notes, **scores},
        "seed": run.config.seed,
        "start_from": run.config.get("start_from"),
        "command": run.environment["command"],
        "changes": list(changes),
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
    }


def _unscored(results: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in results.items() if not key.startswith(SCORES)}
