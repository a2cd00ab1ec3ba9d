"""Flow matching: how the generative model is trained."""

from typing import Any

import torch
from torch import Tensor, nn

from colorizer.colorizer import Colorizer
from colorizer.data import Batch
from colorizer.models import Flow
from colorizer.representations import HaarChroma
from colorizer.tasks.base import Losses
from colorizer.tasks.guided import GuidedTask


class FlowMatching(GuidedTask):
    """Mean squared error of the velocity from noise to the true raw output.

    On the straight line between the two, at a random time (Lipman et al. 2023, "Flow Matching for
    Generative Modeling"). Times in the middle, where the velocity is hardest to predict, are drawn
    more often (logit-normal; Esser et al. 2024, "Scaling Rectified Flow Transformers").

    Args:
        colorizer: with a `Flow` as its network, and `HaarChroma` as its representation.
        **kwargs: see `GuidedTask`.

    Raises:
        ValueError: another network; or see `GuidedTask`.
    """

    channel_weights: Tensor
    objective = "velocity_mse"

    def __init__(self, colorizer: Colorizer, **kwargs: Any) -> None:
        if not isinstance(colorizer.network, Flow):
            raise ValueError(f"{type(colorizer.network).__name__} is no flow: model=flow")
        super().__init__(colorizer=colorizer, **kwargs)
        assert isinstance(colorizer.representation, HaarChroma)
        weights = torch.tensor(colorizer.representation.channel_weights)
        self.register_buffer("channel_weights", weights, persistent=False)

    @property
    def flow(self) -> Flow:
        """The flow that is trained."""
        assert isinstance(self.colorizer.network, Flow)
        return self.colorizer.network

    @property
    def network(self) -> nn.Module:
        """The network that predicts the velocity."""
        return self.flow.velocity

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
