"""Classification of colour images: how the judge is trained."""

from collections.abc import Callable, Iterable

from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy

from colorizer.data import Batch, ColorizationData
from colorizer.judge import JudgeNetwork
from colorizer.tasks.scoring import Scoring
from colorizer.tasks.training import Training

# Training images that the whitening layer is made from; more do not change it.
WHITENING_IMAGES = 5000


class Classification(Training, Scoring):
    """Trains a classifier on colour images, by cross-entropy.

    | metric | unit | better |
    | --- | --- | --- |
    | accuracy | percent, top-1 | higher |
    | cross_entropy | nats, without label smoothing | lower |

    Args:
        network: RGB (B, 3, H, W) in [0, 1] -> class scores (B, classes).
        optimizer: see `Training`.
        scheduler: see `Training`.
        label_smoothing: share of the target that is spread over all classes (Szegedy et al. 2016).
    """

    part = "classifier"
    better = {"accuracy": "max", "cross_entropy": "min"}  # noqa: RUF012

    def __init__(
        self,
        network: JudgeNetwork,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        scheduler: Callable[..., LRScheduler],
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(optimizer, scheduler)
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"task.label_smoothing={label_smoothing}: in [0, 1)")
        self.classifier = network
        self.label_smoothing = label_smoothing
        self.accuracy = MulticlassAccuracy(network.scores.out_features, average="micro")
        self.cross_entropy = MeanMetric()

    def on_fit_start(self) -> None:
        """Fix the first layer by the training images."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ColorizationData)
        images = data.split("train").images[:WHITENING_IMAGES]
        self.classifier.whiten(images.to(self.device).float().div_(255))

    def losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropy with smoothed labels."""
        scores = self.classifier(batch.rgb)
        loss = F.cross_entropy(scores, batch.label, label_smoothing=self.label_smoothing)
        return loss, {"cross_entropy": loss}

    def _score(self, batch: Batch) -> None:
        scores = self.classifier(batch.rgb).float()
        self.accuracy.update(scores, batch.label)
        self.cross_entropy.update(F.cross_entropy(scores, batch.label, reduction="none"))

    def _log_metrics(self, split: str) -> None:
        self.log(f"{split}/accuracy", self.accuracy.compute() * 100)
        self.log(f"{split}/cross_entropy", self.cross_entropy.compute())
        self.accuracy.reset()
        self.cross_entropy.reset()
