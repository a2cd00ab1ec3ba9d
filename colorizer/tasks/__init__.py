"""How networks are trained and scored: LightningModules."""

from colorizer.tasks.base import ColorizationTask
from colorizer.tasks.bin_classification import BinClassification
from colorizer.tasks.classification import Classification
from colorizer.tasks.evaluation import Evaluation
from colorizer.tasks.flow_matching import FlowMatching
from colorizer.tasks.regression import Regression
from colorizer.tasks.training import Training

__all__ = [
    "BinClassification",
    "Classification",
    "ColorizationTask",
    "Evaluation",
    "FlowMatching",
    "Regression",
    "Training",
]
