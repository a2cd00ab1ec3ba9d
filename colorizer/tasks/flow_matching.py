"""Flow matching: how the generative model is trained."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from colorizer.cards import load_into
from colorizer.colorizer import Colorizer
from colorizer.data import Batch
from colorizer.errors import UserError
from colorizer.models import Flow
from colorizer.representations import HaarChroma, Representation
from colorizer.tasks.base import Losses, Task


class FlowMatching(Task):
    """Mean squared error of the velocity from noise to the true raw output.

    On the straight line between the two, at a random time (Lipman et al. 2023, "Flow Matching for
    Generative Modeling"). Times in the middle, where the velocity is hardest to predict, are drawn
    more often (logit-normal; Esser et al. 2024, "Scaling Rectified Flow Transformers").

    Args:
        colorizer: with a `Flow` as its network, and `HaarChroma` as its representation.
        guide: the trained colorizer whose weights the flow's guide gets, or a function that makes
            it, which is called when all modules of the task are made; None for a flow without one.
        **kwargs: see `Task`.

    Raises:
        ValueError: another network or representation; a trained guide for a flow that has none, or
            the reverse.
        UserError: the guide's weights are of another network or representation.
    """

    channel_weights: Tensor
    objective = "velocity_mse"
    generative = True

    def __init__(
        self,
        colorizer: Colorizer,
        guide: Colorizer | Callable[[], Colorizer] | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(colorizer.network, Flow):
            raise ValueError(f"{type(colorizer.network).__name__} is no flow: model=flow")
        if not isinstance(colorizer.representation, HaarChroma):
            name = type(colorizer.representation).__name__
            raise ValueError(f"a flow does not draw {name}: representation=haar_chroma")
        if guide is not None and not callable(guide):
            raise ValueError(
                f"task.guide={guide}: a trained colorizer is asked for, "
                f"task.guide={{_target_:colorizer.load,which:{guide}}}"
            )
        super().__init__(colorizer=colorizer, **kwargs)
        weights = torch.tensor(colorizer.representation.channel_weights)
        self.register_buffer("channel_weights", weights, persistent=False)
        if (guide is None) != (self.flow.guide is None):
            raise ValueError("task.guide, its weights, and model.guide, its network, go together")
        if guide is not None:
            self._load_guide(guide if isinstance(guide, Colorizer) else guide())

    @property
    def flow(self) -> Flow:
        """The flow that is trained."""
        assert isinstance(self.colorizer.network, Flow)
        return self.colorizer.network

    @property
    def network(self) -> nn.Module:
        """The network that predicts the velocity."""
        return self.flow.velocity

    def _load_guide(self, trained: Colorizer) -> None:
        guide = self.flow.guide
        assert guide is not None
        mistake = "task.guide: weights of another network than model.guide.network"
        load_into(guide.network, trained.network.state_dict(), mistake)
        if _settings(trained.representation) != _settings(guide.representation):
            raise UserError("task.guide: weights of another representation than the guide's")

    def losses(self, batch: Batch) -> Losses:
        """The squared error of the velocity."""
        return self._losses(batch, None)

    def validated(self, batch: Batch, batch_idx: int) -> Tensor:
        """The same, with noise that depends on the number of the batch and on its size alone."""
        return self._losses(batch, torch.Generator().manual_seed(batch_idx)).total

    def _losses(self, batch: Batch, generator: torch.Generator | None) -> Losses:
        flow, target = self.flow, self.colorizer.representation.encode(batch.rgb)
        guide_output = flow.guide_output(batch.gray)
        if guide_output is not None:
            target = target - guide_output
        device = target.device
        noise = flow.noise(target.shape, generator, device)
        place = device if generator is None else generator.device
        normal = torch.randn(len(target), generator=generator, device=place)
        time = normal.to(device).sigmoid()
        at = time.view(-1, 1, 1, 1)
        state = (1 - at) * noise + at * target
        seen = flow.network_input(guide_output, state, time)
        correction, features = self.call_network(batch.gray, seen, time)
        velocity = flow.corrected(correction, state, time)
        errors = (velocity - (target - noise)).square().mean(dim=(0, 2, 3))
        loss = (self.channel_weights * errors).sum()
        return Losses(loss, {self.objective: loss}, features)


def _settings(representation: Representation) -> tuple[type, dict[str, Any]]:
    """The class and the arguments of a representation."""
    plain = (bool, int, float, str, tuple)
    settings = {k: v for k, v in vars(representation).items() if isinstance(v, plain)}
    return type(representation), settings
