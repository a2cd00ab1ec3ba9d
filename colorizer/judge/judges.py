"""Judges as files: trained networks that look at images."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from colorizer.annotations import wrong_argument
from colorizer.cards import halved, load_new, read_card, write_card
from colorizer.errors import UserError
from colorizer.fingerprint import files_fingerprint
from colorizer.judge.frechet import FrechetDistance, Gaussian
from colorizer.judge.imagenet import ImageNetNetwork
from colorizer.judge.network import JudgeNetwork

# The judges that the protocol's numbers come from.
SHIPPED = tuple(
    Path(__file__).parent / f"{name}.safetensors" for name in ("judge-0", "judge-1", "imagenet")
)

Family = Literal["own", "imagenet"]
"""From what a judge has its features: the classes of the data set itself, or ImageNet."""

NETWORKS: dict[Family, type[JudgeNetwork] | type[ImageNetNetwork]] = {
    "own": JudgeNetwork,
    "imagenet": ImageNetNetwork,
}

KIND = "colorizer judge"

# Of the images, as in the protocol's tables.
SUBSETS = ("all", "chromatic")


class Judge:
    """A classifier of colour images, in evaluation mode.

    `data` is the name of the data set whose classes it knows; `family` says from what it has its
    features; `real` holds its features of the real training images, of all and of the chromatic
    ones.

    Args:
        path: a file that `save_judge` wrote.

    Raises:
        UserError: it is missing, cut short, no judge, or for another architecture.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise UserError(f"there is no judge {path}; colorizer train experiment=judge makes one")
        self.card, tensors = read_card(path, KIND)
        try:
            self.data = str(self.card["data"])
            self.family: Family = self.card.get("family", "own")
            network = NETWORKS[self.family]
            if wrong := wrong_argument(network, self.card["network"]):
                raise UserError(f"{path} has a card with network.{wrong}")
            mistake = f"{path} is a judge of another architecture than its card says"
            make: Callable[[], Any] = partial(network, **self.card["network"])
            self.network: JudgeNetwork | ImageNetNetwork = load_new(
                make, _below("network.", tensors), mistake
            )
            self.real = {subset: _gaussian(subset, tensors, self.dimensions) for subset in SUBSETS}
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise UserError(
                f"{path} is a judge of another architecture than its card says"
            ) from error
        self.network.eval().requires_grad_(False)
        if isinstance(self.network, ImageNetNetwork):
            self.network.fuse()
        self.path = path
        self.fingerprint = files_fingerprint([path])

    @cached_property
    def distances(self) -> dict[str, FrechetDistance]:
        """Fréchet distances to its features of the real training images, by subset."""
        return {subset: FrechetDistance(gaussian) for subset, gaussian in self.real.items()}

    @property
    def dimensions(self) -> int:
        """The number of its features."""
        return int(self.network.dimensions)

    @property
    def device(self) -> torch.device:
        """The device that it is on."""
        return next(self.network.parameters()).device

    def to(self, device: torch.device) -> "Judge":
        """Moved there."""
        self.network.to(device)
        return self

    @torch.inference_mode()
    def look(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """RGB (B, 3, H, W) in [0, 1] -> features (B, D) and class scores (B, classes)."""
        # On a GPU, too, as exact as where the real images' features were taken.
        with torch.backends.cudnn.flags(allow_tf32=False):
            return self.network.look(rgb)


def save_judge(
    network: JudgeNetwork | ImageNetNetwork,
    real: Mapping[str, Gaussian],
    card: dict[str, Any],
    path: Path,
) -> None:
    """Write a judge, its weights in half precision.

    Args:
        network: trained.
        real: its features of subsets of the real training images.
        card: what is to be known of it; `network` (its arguments) and `data` (the data's name) at
            least, and `family` if it is not `own`.
        path: the file.
    """
    tensors = {f"network.{name}": tensor for name, tensor in halved(network).items()}
    for subset, gaussian in real.items():
        tensors[f"real.{subset}.mean"] = torch.from_numpy(gaussian.mean).float()
        tensors[f"real.{subset}.covariance"] = torch.from_numpy(gaussian.covariance).float()
    write_card(tensors, KIND, card, path)


def _gaussian(subset: str, tensors: Mapping[str, Tensor], dimensions: int) -> Gaussian:
    mean, covariance = (
        tensors[f"real.{subset}.{name}"].double() for name in ("mean", "covariance")
    )
    if mean.shape != (dimensions,) or covariance.shape != (dimensions, dimensions):
        raise ValueError(f"{subset}: features of {tuple(mean.shape)} dimensions")
    if not (mean.isfinite().all() and covariance.isfinite().all()):
        raise ValueError(f"{subset}: features that are not finite")
    return Gaussian(mean.numpy(), covariance.numpy())


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def load_judges(paths: Sequence[Path] = SHIPPED) -> list[Judge]:
    """Judges on whatever device there is.

    Raises:
        UserError: see `Judge`.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return [Judge(path).to(device) for path in paths]
