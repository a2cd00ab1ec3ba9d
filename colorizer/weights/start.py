"""Training that starts from trained weights."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer.cards import load_into
from colorizer.colorizer import Colorizer
from colorizer.errors import UserError, shown
from colorizer.weights.files import open_trained


def started(colorizer: Colorizer, config: DictConfig) -> Colorizer:
    """The same colorizer with the weights of the trained one that `config.start_from` names.

    No random number is drawn, so that all else is as in a training from scratch. Nothing that the
    trained one's config asks for is built.

    Args:
        colorizer: untrained.
        config: which it was built from. `start_from`: a name, a file of weights or a run; None, or
            absent: the colorizer stays as it is.

    Raises:
        UserError: there is no such thing, or it is of another network or representation.
    """
    which = config.get("start_from")
    if which is None:
        return colorizer
    trained = open_trained(which)
    mistake = f"start_from={shown(which)}: weights of another network than model"
    load_into(colorizer, trained.tensors(), mistake)
    there, here = (_meaning(c.get("representation")) for c in (trained.config, config))
    if there != here:
        raise UserError(
            f"start_from={shown(which)}: weights of another representation, {shown(there, 200)}"
        )
    return colorizer


def _meaning(representation: Any) -> Any:
    """The part of a representation's config that weights depend on."""
    content: Any = (
        OmegaConf.to_container(representation) if OmegaConf.is_config(representation) else {}
    )
    return {key: value for key, value in content.items() if key != "temperature"}
