"""Flow matching: how the generative model is trained."""

from typing import Any

import torch
from torch import Tensor, nn

from colorizer.cards import load_into
from colorizer.colorizer import Colorizer
from colorizer.data import Batch
from colorizer.errors import UserError
from colorizer.models import Flow
from colorizer.representations import HaarChroma, Representation
from colorizer.tasks.base import ColorizationTask
from colorizer.weights import Weights


class FlowMatching(ColorizationTask):
    """Mean squared error of the velocity from noise to the true raw output.

    On the straight line between the two, at a random time (Lipman et al. 2023, "Flow Matching for
    Generative Modeling"), which is drawn more often in the middle, where it is hardest to tell
    (logit-normal; Esser et al. 2024, "Scaling Rectified Flow Transformers").

    Args:
        colorizer: with a `Flow` as its network, and `HaarChroma` as its representation.
        guide: the weights of the flow's guide, see `colorizer.weights.Weights`; None for a flow
            without one.
        **kwargs: see `ColorizationTask`.

    Raises:
        ValueError: another network or representation; weights without a guide, or the reverse.
        UserError: the guide's weights are missing, damaged, or of another network or
            representation.
    """

    channel_weights: Tensor
    objective = "velocity_mse"
    generative = True

    def __init__(self, colorizer: Colorizer, guide: str | None = None, **kwargs: Any) -> None:
        if not isinstance(colorizer.representation, HaarChroma):
            name = type(colorizer.representation).__name__
            raise ValueError(f"a flow does not draw {name}: representation=haar_chroma")
        super().__init__(colorizer=colorizer, **kwargs)
        weights = torch.tensor(colorizer.representation.channel_weights)
        self.register_buffer("channel_weights", weights, persistent=False)
        self._load_guide(guide)

    @property
    def flow(self) -> Flow:
        """What is trained."""
        assert isinstance(self.colorizer.network, Flow)
        return self.colorizer.network

    @property
    def called(self) -> nn.Module:
        """The network that says where the noise is to move."""
        return self.flow.velocity

    def _load_guide(self, which: str | None) -> None:
        guide = self.flow.guide
        if (which is None) != (guide is None):
            raise ValueError("task.guide, its weights, and model.guide, its network, go together")
        if guide is not None and which is not None:
            trained = Weights(which).colorizer()
            mistake = f"task.guide={which}: weights of another network than model.guide.network"
            load_into(guide.network, trained.network.state_dict(), mistake)
            if _settings(trained.representation) != _settings(guide.representation):
                raise UserError(
                    f"task.guide={which}: weights of another representation than the guide's"
                )

    def losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The squared error of the velocity."""
        loss = self._velocity_mse(batch)
        return loss, {self.objective: loss}

    def validated(self, batch: Batch, batch_idx: int) -> Tensor:
        """The same, with noise that depends on the number of the batch and on its size alone."""
        return self._velocity_mse(batch, torch.Generator().manual_seed(batch_idx))

    def _velocity_mse(self, batch: Batch, generator: torch.Generator | None = None) -> Tensor:
        target = self.colorizer.representation.encode(batch.rgb)
        careful = self.flow.careful(batch.gray)
        if careful is not None:
            target = target - careful
        device = target.device
        noise = self.flow.noise(target.shape, generator, device)
        place = device if generator is None else generator.device
        normal = torch.randn(len(target), generator=generator, device=place)
        time = normal.to(device).sigmoid()
        at = time.view(-1, 1, 1, 1)
        velocity = self.flow.moving(batch.gray, careful, (1 - at) * noise + at * target, time)
        errors = (velocity - (target - noise)).square().mean(dim=(0, 2, 3))
        return (self.channel_weights * errors).sum()


def _settings(representation: Representation) -> tuple[type, dict[str, Any]]:
    """What tells one representation from another: its class and its arguments."""
    plain = (bool, int, float, str, tuple)
    settings = {k: v for k, v in vars(representation).items() if isinstance(v, plain)}
    return type(representation), settings
