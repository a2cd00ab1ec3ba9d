"""Classification of colour images: how the judge is trained."""

from collections.abc import Callable, Iterable
from typing import Annotated

from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy

from colorizer.data import Batch, ColorizationData
from colorizer.judge import JudgeNetwork
from colorizer.ranges import Range
from colorizer.tasks.base import Losses, Task

# Training images that the whitening layer is made from; more do not change it.
WHITENING_IMAGES = 5000


class ClassifierMetrics(nn.Module):
    """Accuracy in percent, and cross-entropy in nats without label smoothing."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.accuracy = MulticlassAccuracy(classes, average="micro")
        self.cross_entropy = MeanMetric()

    def update(self, scores: Tensor, label: Tensor) -> None:
        """Add a batch: (B, classes) and int64 (B,)."""
        self.accuracy.update(scores, label)
        self.cross_entropy.update(F.cross_entropy(scores, label, reduction="none"))

    def compute(self) -> dict[str, Tensor]:
        """Return both by name."""
        return {
            "accuracy": self.accuracy.compute() * 100,
            "cross_entropy": self.cross_entropy.compute(),
        }

    def reset(self) -> None:
        """Start again."""
        self.accuracy.reset()
        self.cross_entropy.reset()


class Classification(Task):
    """Trains a classifier on colour images, by cross-entropy.

    | metric | unit | better |
    | --- | --- | --- |
    | accuracy | percent, top-1 | higher |
    | cross_entropy | nats, without label smoothing | lower |

    Args:
        network: RGB (B, 3, H, W) in [0, 1] -> class scores (B, classes).
        optimizer: see `Task`.
        scheduler: see `Task`.
        label_smoothing: share of the target that is spread over all classes (Szegedy et al. 2016).
    """

    part = "classifier"
    classifier: JudgeNetwork

    def __init__(
        self,
        network: JudgeNetwork,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        scheduler: Callable[..., LRScheduler],
        label_smoothing: Annotated[float, Range(0, 1, below=True)] = 0.0,
    ) -> None:
        super().__init__(network, optimizer, scheduler)
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"task.label_smoothing={label_smoothing}: in [0, 1)")
        self.label_smoothing = label_smoothing

    @property
    def network(self) -> nn.Module:
        """The classifier."""
        return self.classifier

    @classmethod
    def better(cls) -> dict[str, str]:
        """Accuracy and cross-entropy."""
        return {"accuracy": "max", "cross_entropy": "min"}

    def on_fit_start(self) -> None:
        """Fix the first layer by the training images."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ColorizationData)
        images = data.split("train").images[:WHITENING_IMAGES]
        self.classifier.whiten(images.to(self.device).float().div_(255))

    def losses(self, batch: Batch) -> Losses:
        """Cross-entropy with smoothed labels."""
        scores = self.classifier(batch.rgb)
        loss = F.cross_entropy(scores, batch.label, label_smoothing=self.label_smoothing)
        return Losses(loss, {"cross_entropy": loss})

    def make_metrics(self) -> ClassifierMetrics:
        """Accuracy and cross-entropy."""
        return ClassifierMetrics(self.classifier.scores.out_features)

    def update_metrics(self, batch: Batch) -> None:
        """Add a batch to the metrics."""
        self.metrics.update(self(batch.rgb).float(), batch.label)
