"""Metrics over the batches of a validation, across processes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torchmetrics import Metric as RunningState

from colorizer.color import rgb_to_lab, round_to_8_bits
from colorizer.metrics.base import ImageMetric, Images
from colorizer.metrics.registry import validation_metrics


class Mean(RunningState):
    """The mean over images of a number (B,), or a vector (B, D), for each."""

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Float64: float32 would lose the last of 10,000 images.
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, values: Tensor) -> None:
        """Add a batch."""
        self.total = self.total + values.sum(0, dtype=torch.float64)
        self.count += len(values)

    def compute(self) -> Tensor:
        """Return the mean so far, float64; not a number where a value was none."""
        return self.total / self.count


@dataclass
class StepMeans:
    """The means of numbers over the steps of an epoch, which a checkpoint can hold.

    Args:
        names: of the numbers.
        steps: so far.
        sums: float64 (len(names),), on the device of the numbers; None before the first step.
    """

    names: list[str] = field(default_factory=list)
    steps: int = 0
    sums: Tensor | None = None

    def add(self, numbers: Mapping[str, Tensor]) -> None:
        """Add the scalars of a step, which have the same names in every step."""
        values = torch.stack(list(numbers.values())).double()
        self.names = list(numbers)
        self.sums = values if self.sums is None else self.sums.to(values.device) + values
        self.steps += 1

    def compute(self) -> dict[str, Tensor]:
        """The mean of each; empty before the first step."""
        if self.sums is None:
            return {}
        return dict(zip(self.names, (self.sums / self.steps).float(), strict=True))


class Fidelity(nn.Module):
    """All validation metrics of the registry, on output rounded to 8 bits."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = validation_metrics()
        self.means = nn.ModuleList(Mean() for _ in self.metrics)

    @torch.no_grad()
    def update(self, prediction: Tensor, target: Tensor, gray: Tensor) -> None:
        """Add a batch: RGB (B, 3, H, W) twice and gray (B, 1, H, W), in [0, 1]."""
        prediction = round_to_8_bits(prediction.float()).contiguous()
        images = Images(prediction, target, gray, rgb_to_lab(target))
        for metric, mean in self._pairs():
            mean.update(metric.values(images))

    def compute(self) -> dict[str, float]:
        """Return every metric by name; PSNR of an exact copy is infinite."""
        found = {}
        for metric, mean in self._pairs():
            found[metric.name] = float(metric.of_mean(mean.compute().cpu().numpy()))
        return found

    def reset(self) -> None:
        """Start again."""
        for _, mean in self._pairs():
            mean.reset()

    def _pairs(self) -> Iterator[tuple[ImageMetric, Mean]]:
        for metric, mean in zip(self.metrics, self.means, strict=True):
            assert isinstance(mean, Mean)
            yield metric, mean
