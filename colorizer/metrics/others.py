"""Metrics that are computed where they come from: of draws, by discriminators, by tasks."""

from colorizer.metrics.base import Metric
from colorizer.metrics.registry import register


@register
class Diversity(Metric):
    """Mean ab distance between two draws of the same image, pixel by pixel."""

    name, title, digits, order = "diversity", "diversity", ".2f", 160
    kind = "sampling"


@register
class BestOfK(Metric):
    """Mean ab distance of the draw that is nearest to the true image."""

    name, title, digits, better, order = "best_of_k", "best of k", ".2f", "min", 170
    kind = "sampling"
    shown = frozenset({"scores"})


@register
class EnergyScore(Metric):
    """Energy score of an image's mean ab by 8 draws (Gneiting and Raftery 2007), a proper score.

    Of a colorizer that cannot draw it is the mean distance of its mean ab to the true one.
    """

    name, title, digits, better, order = "energy_score", "energy", ".2f", "min", 172
    kind = "sampling"


@register
class Coverage(Metric):
    """Percent of true mean a and b between the least and the greatest of 8 draws; 77.8 is ideal."""

    name, title, digits, order = "coverage", "coverage", ".1f", 174
    kind = "sampling"


@register
class LearnedTwoAFC(Metric):
    """Percent of pairs in which a fresh discriminator picks the real image; 50 is ideal."""

    name, title, digits, better, order = "afc", "2AFC", ".1f", "min", 180
    kind = "discrimination"


@register
class PatchTwoAFC(Metric):
    """The same by a discriminator of another architecture, which scores patches."""

    name, title, digits, better, order = "afc_patch", "2AFC patch", ".1f", "min", 181
    kind = "discrimination"


@register
class Accuracy(Metric):
    """Top-1 accuracy of a classifier, in percent."""

    name, title, digits, better, order = "accuracy", "accuracy", ".2f", "max", 190
    kind = "objective"


@register
class CrossEntropy(Metric):
    """Cross-entropy of a classifier, of images or of colours, in nats."""

    name, title, digits, better, order = "cross_entropy", "cross-entropy", ".4f", "min", 200
    kind = "objective"


@register
class VelocityMSE(Metric):
    """Mean squared error of a flow's velocity."""

    name, title, digits, better, order = "velocity_mse", "velocity MSE", ".4f", "min", 210
    kind = "objective"
