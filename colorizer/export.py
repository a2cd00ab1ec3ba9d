"""Trained colorizers as ONNX files, checked against PyTorch."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from colorizer.color import luma
from colorizer.colorizer import Colorizer
from colorizer.data import Photos
from colorizer.errors import RunError, UserError, first_line, shown
from colorizer.files import atomic_write
from colorizer.interfaces import multiple_of
from colorizer.models import Flow, WaveletMixture
from colorizer.photographs import resolution_of
from colorizer.runs import BEST, Run
from colorizer.weights import KIND, Weights, card_of

if TYPE_CHECKING:
    import onnxruntime

log = logging.getLogger(__name__)

# Of RGB in [0, 1]; 8 bits have steps of 0.004.
LARGEST_DIFFERENCE = 1e-4


class Exportable(nn.Module):
    """A colorizer's `forward` in operations that stand for any size of its images.

    Args:
        colorizer: in evaluation mode.
    """

    def __init__(self, colorizer: Colorizer) -> None:
        super().__init__()
        self.network = colorizer.network
        self.representation = colorizer.representation
        self.multiple = multiple_of(colorizer.network)

    def forward(self, gray: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [0, 1]."""
        height, width = gray.shape[-2:]
        padded = gray.index_select(-2, self._repeated(height))
        padded = padded.index_select(-1, self._repeated(width))
        rgb = self.representation.decode(padded, self.network(padded))
        return rgb[..., :height, :width].clamp(0, 1)

    def _repeated(self, size: int) -> Tensor:
        """Indices up to the next multiple, of which those beyond the end are the last pixel's."""
        padded = (size + self.multiple - 1) // self.multiple * self.multiple
        return torch.arange(padded).clamp(max=size - 1)


def export_onnx(
    trained: Run | Weights,
    path: Path,
    trust: Sequence[str] = (),
    changes: Sequence[str] = (),
    checkpoint: str = BEST,
) -> float:
    """Write a colorizer as ONNX: `gray`, float (B, 1, H, W) in [0, 1], to `rgb`, (B, 3, H, W).

    Any batch and any size, where the network takes any. The file has the card of `card_of` in its
    metadata, beside the working resolution. A flow's solver is in the graph with all its steps.
    Random numbers are not: of a network with a temperature, what is exported is temperature 0,
    which is logged and in the card.

    Args:
        trained: see `open_trained`.
        path: the file, made or replaced.
        trust, changes, checkpoint: see `Run.colorizer`.

    Returns:
        The largest difference of onnxruntime's RGB from PyTorch's on photographs.

    Raises:
        UserError: onnx is not installed, or cannot express the network, or the file cannot be
            written.
        RunError: a difference of more than `LARGEST_DIFFERENCE`; nothing is written then.
    """
    try:
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(f"{error}: pip install 'colorizer[export]' adds what it needs") from error
    colorizer = trained.colorizer(checkpoint, trust, changes).eval()
    card = card_of(trained, changes, checkpoint)
    if isinstance(colorizer.network, (Flow, WaveletMixture)) and colorizer.network.temperature:
        was, colorizer.network.temperature = colorizer.network.temperature, 0.0
        card["changes"] = [*card["changes"], "model.temperature=0"]
        log.warning(
            f"its temperature is {was:g}: exported with 0, without the noise that depends on the "
            "image; its colours are paler than colorizer.load's"
        )
    size: int | None = getattr(colorizer.network, "image_size", None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part:
            _write(colorizer, card | {"working_resolution": resolution_of(trained)}, size, part)
            difference = difference_of(part, colorizer, size)
            if not difference < LARGEST_DIFFERENCE:
                raise RunError(
                    f"{path} is not written: onnxruntime's RGB differs from PyTorch's by "
                    f"{difference:.1g}, more than {LARGEST_DIFFERENCE:g}"
                )
    except OSError as error:
        raise UserError(f"cannot write {path}: {first_line(error)}") from error
    return difference


def _write(colorizer: Colorizer, card: dict[str, Any], size: int | None, path: Path) -> None:
    side = size or 32
    any_size = {} if size else {2: "height", 3: "width"}
    try:
        program = torch.onnx.export(
            Exportable(colorizer).eval(),
            (torch.rand(2, 1, side, side + (0 if size else 8)),),
            input_names=["gray"],
            output_names=["rgb"],
            dynamic_shapes={"gray": {0: "batch", **any_size}},
            verbose=False,
        )
    except Exception as error:  # torch's exporter raises what it meets
        name = type(colorizer.network).__name__
        reason = shown(first_line(error), most=300)
        raise UserError(f"{name} cannot be exported to ONNX: {reason}") from error
    assert program is not None
    # Else the size of the output is a formula of the padding.
    (gray,), (rgb,) = program.model.graph.inputs, program.model.graph.outputs
    assert gray.shape is not None
    rgb.shape = type(gray.shape)([gray.shape[0], 3, *gray.shape[2:]])
    program.model.metadata_props.update({"kind": KIND, "card": json.dumps(card)})
    program.save(path)


def difference_of(path: Path, colorizer: Colorizer, size: int | None = None) -> float:
    """The largest difference of a file's RGB from a colorizer's.

    On crops of scikit-image's photographs: several together and one alone, square and not, and of
    sizes that a network has to pad.

    Args:
        path: an ONNX file.
        colorizer: in evaluation mode.
        size: the side of images, where the network takes that alone.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    side = size or 64
    images = Photos(image_size=side, scales=(2,)).split("test").images[:4]
    gray = luma(images.float().div(255))
    several = [gray, gray[:1]]
    if not size:
        several += [gray[..., :32, :32], gray[:3, :, :45, :61], gray[1:2, :, :61, :33]]
    return max(_difference(session, colorizer, one.contiguous()) for one in several)


@torch.no_grad()
def _difference(
    session: "onnxruntime.InferenceSession", colorizer: Colorizer, gray: Tensor
) -> float:
    (rgb,) = session.run(["rgb"], {"gray": gray.numpy()})
    return float((torch.from_numpy(rgb) - colorizer(gray)).abs().max())
