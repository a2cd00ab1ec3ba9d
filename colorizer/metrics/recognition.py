"""Recognition of outputs by judges, classifiers of colour images."""

import numpy as np
import torch
from torch import Tensor

from colorizer.metrics.base import Array, Images, JudgedMetric
from colorizer.metrics.registry import register


@register
class SemanticAccuracy(JudgedMetric):
    """Percent of outputs in which a judge sees the right class, mean of the judges.

    After Zhang et al. 2016.
    """

    name, title, digits, better, order = "semantic_accuracy", "semantic", ".1f", "max", 130
    shown = frozenset({"scores", "groups", "classes"})

    def values(self, images: Images) -> Tensor:
        """Return whether each judge is right: (B, judges)."""
        return self.views(images).correct.float()

    def of_mean(self, mean: Array) -> Array:
        """Return the mean of the judges' percentages."""
        percent: Array = 100 * mean.mean(-1)
        return percent


@register
class Recovered(JudgedMetric):
    """Percent of the accuracy that judges lose on gray images, and get back; their mean.

    (output - gray) / (real - gray), after Zhang et al. 2016. There is none where a judge loses
    nothing on gray images.
    """

    name, title, digits, better, order = "recovered", "recovered", ".1f", "max", 140

    def values(self, images: Images) -> Tensor:
        """Return whether each judge is right of output, real and gray image: (B, 3 * judges)."""
        views = self.views(images)
        return torch.cat((views.correct, views.real, views.gray), 1).float()

    def of_mean(self, mean: Array) -> Array:
        """Return the mean of the judges' percentages; not a number where there is none."""
        output, real, gray = np.split(mean, 3, axis=-1)
        if mean.ndim == 1 and not (real > gray).all():
            return np.asarray(np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            percent: Array = (100 * (output - gray) / (real - gray)).mean(-1)
        return percent


@register
class RecoveredImageNet(Recovered):
    """The same of a linear probe on features of ImageNet, which never saw the data set's labels."""

    name, title, order = "recovered_imagenet", "recovered-imagenet", 152
    family = "imagenet"
