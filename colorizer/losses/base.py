"""The interface of a loss term, and the weighted sum of several."""

from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from colorizer.ranges import NotNegative


class Term(nn.Module):
    """One named term of a loss.

    It gets decoded RGB before clamping, whatever the representation, and is a mean over elements,
    so that its weight means the same at any batch and image size.
    """

    @abstractmethod
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(B, 3, H, W) about [0, 1], and (B, 3, H, W) in [0, 1] -> scalar, 0 at best."""


class WeightedSum(nn.Module):
    """The sum of weighted terms.

    Args:
        terms: the terms by name.
        weights: a weight, at least 0, for each name. A term of weight 0 is not computed.

    Raises:
        ValueError: names that do not match, a negative weight, or nothing but zeros.
    """

    def __init__(self, terms: Mapping[str, Term], weights: Mapping[str, NotNegative]) -> None:
        super().__init__()
        for name in weights:
            if name not in terms:
                raise ValueError(
                    f"loss.weights.{name}: no such term; this loss has {', '.join(terms)}. "
                    f"Terms are added like 'loss=[{','.join([*terms, 'NAME'])}]'"
                )
        for name in terms:
            if name not in weights:
                raise ValueError(f"loss.weights.{name} is missing: the term has no weight")
            if not weights[name] >= 0:
                raise ValueError(f"loss.weights.{name}={weights[name]}: at least 0")
        if not any(weights.values()):
            raise ValueError("loss.weights: at least one above 0")
        self.terms = nn.ModuleDict({name: terms[name] for name in terms if weights[name]})
        self.weights = {name: float(weights[name]) for name in self.terms}

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum, and each term by name, unweighted."""
        values: dict[str, Tensor] = {
            name: term(prediction, target) for name, term in self.terms.items()
        }
        total = sum(
            (self.weights[name] * value for name, value in values.items()),
            start=prediction.new_zeros(()),
        )
        return total, values
