"""Draws that a critic cannot tell from true chroma, beside maximum likelihood."""

from typing import Annotated, Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from colorizer.colorizer import Colorizer
from colorizer.data import Batch
from colorizer.models import WaveletMixture
from colorizer.ranges import NotNegative, Range, Widths
from colorizer.tasks.base import Losses
from colorizer.tasks.critic import Critic
from colorizer.tasks.likelihood import Likelihood


class Adversarial(Likelihood):
    """Likelihood, and draws as real as the true chroma to a critic that learns beside them.

    The relativistic loss of Jolicoeur-Martineau 2019 on pairs of the same gray image, with a
    penalty on the critic's gradient at true and at drawn chroma (Huang et al. 2024). The likelihood
    keeps the draws as varied as the truth. Network and critic learn in the same step, each from its
    own loss.

    No number tells when such a training is at its best: the last weights are kept.

    Args:
        colorizer: see `Likelihood`.
        widths: of the critic, see `Critic`.
        weight: of the critic's opinion of the draws; that of the likelihood is 1.
        penalty: on the squared gradient of the critic's scores.
        penalized: the share of a batch that the penalty is measured on.
        **kwargs: see `Likelihood`.

    Raises:
        ValueError: see `Likelihood`.
    """

    objective = "step"

    def __init__(
        self,
        colorizer: Colorizer,
        widths: Widths,
        weight: NotNegative,
        penalty: NotNegative,
        penalized: Annotated[float, Range(0, 1, above=True)] = 0.25,
        **kwargs: Any,
    ) -> None:
        super().__init__(colorizer=colorizer, **kwargs)
        self.critic = Critic(colorizer.representation.channels, widths)
        self.weight, self.penalty, self.penalized = weight, penalty, penalized

    @classmethod
    def better(cls) -> dict[str, str]:
        """As `Task.better`; the last step is the best."""
        return {**super().better(), cls.objective: "max"}

    def losses(self, batch: Batch) -> Losses:
        """The likelihood's, the critic's opinion of draws, and what the critic learns from."""
        assert isinstance(self.network, WaveletMixture)
        target = self.true_output(batch)
        levels, drawn, features = self.network.learn_and_draw(batch.gray, target)
        likelihood = levels.mean()
        real = self.critic(batch.gray, target)
        fake = self.critic(batch.gray, drawn.detach())
        # The network's part: the same scores, by a critic that does not learn from it.
        frozen = {name: weight.detach() for name, weight in self.critic.named_parameters()}
        opinion = functional_call(self.critic, frozen, (batch.gray, drawn))
        fooling = F.softplus(real.detach() - opinion).mean()
        telling = F.softplus(fake - real).mean()
        steepness = self._steepness(batch.gray, target, drawn.detach())
        total = likelihood + self.weight * fooling + telling + self.penalty / 2 * steepness
        terms = {
            "nll": likelihood,
            "fooling": fooling,
            "telling": telling,
            "told_apart": (real > fake).float().mean(),
            "steepness": steepness,
        }
        return Losses(total, terms, features)

    def _steepness(self, gray: Tensor, *outputs: Tensor) -> Tensor:
        """The sum over outputs of the mean squared gradient of the critic's scores."""
        count = max(1, round(self.penalized * len(gray)))
        with torch.autocast(gray.device.type, enabled=False):
            found = []
            for output in outputs:
                at = output[:count].float().requires_grad_()
                scores = self.critic(gray[:count].float(), at)
                (slope,) = torch.autograd.grad(scores.sum(), at, create_graph=True)
                found.append(slope.square().sum((1, 2, 3)).mean())
            return torch.stack(found).sum()

    def validated(self, batch: Batch, batch_idx: int) -> Tensor:
        """The step."""
        return torch.tensor(float(self.global_step), device=self.device)
