"""How a generative model gets the trained colorizer that it starts from."""

from collections.abc import Callable
from typing import Any

from colorizer.cards import load_into
from colorizer.colorizer import Colorizer
from colorizer.errors import UserError
from colorizer.models import Flow, Guide, WaveletMixture
from colorizer.representations import HaarChroma, Representation
from colorizer.tasks.base import Task


class GuidedTask(Task):
    """Trains a generative model of chroma that may have a guide.

    Args:
        colorizer: with a network that may have a guide, and `HaarChroma` as its representation.
        guide: the trained colorizer whose weights the network's guide gets, or a function that
            makes it, which is called when all modules of the task are made; None for a network
            without one.
        **kwargs: see `Task`.

    Raises:
        ValueError: another representation; a trained guide for a network that has none, or the
            reverse.
        UserError: the guide's weights are of another network or representation.
    """

    generative = True

    def __init__(
        self,
        colorizer: Colorizer,
        guide: Colorizer | Callable[[], Colorizer] | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(colorizer.representation, HaarChroma):
            name = type(colorizer.representation).__name__
            raise ValueError(
                f"{type(colorizer.network).__name__} does not draw {name}: "
                "representation=haar_chroma"
            )
        if guide is not None and not callable(guide):
            raise ValueError(
                f"task.guide={guide}: a trained colorizer is asked for, "
                f"task.guide={{_target_:colorizer.load,which:{guide}}}"
            )
        super().__init__(colorizer=colorizer, **kwargs)
        assert isinstance(colorizer.network, Flow | WaveletMixture)
        own = colorizer.network.guide
        if guide is not None and own is not None:
            _load(own, guide if isinstance(guide, Colorizer) else guide())
        elif guide is not None or own is not None:
            raise ValueError("task.guide, its weights, and model.guide, its network, go together")


def _load(guide: Guide, trained: Colorizer) -> None:
    mistake = "task.guide: weights of another network than model.guide.network"
    load_into(guide.network, trained.network.state_dict(), mistake)
    if _settings(trained.representation) != _settings(guide.representation):
        raise UserError("task.guide: weights of another representation than the guide's")


def _settings(representation: Representation) -> tuple[type, dict[str, Any]]:
    """The class and the arguments of a representation."""
    plain = (bool, int, float, str, tuple)
    settings = {k: v for k, v in vars(representation).items() if isinstance(v, plain)}
    return type(representation), settings
