"""How colorizers are trained and scored: LightningModules."""

from colorizer.tasks.base import ColorizationTask
from colorizer.tasks.evaluation import Evaluation
from colorizer.tasks.regression import Regression

__all__ = ["ColorizationTask", "Evaluation", "Regression"]
