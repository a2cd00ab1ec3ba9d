"""Tasks: LightningModules that train networks, a file each beside `base.py`."""

from colorizer.tasks.adversarial import Adversarial
from colorizer.tasks.base import Losses, Task
from colorizer.tasks.bin_classification import BinClassification
from colorizer.tasks.classification import Classification
from colorizer.tasks.flow_matching import FlowMatching
from colorizer.tasks.likelihood import Likelihood
from colorizer.tasks.regression import Regression

__all__ = [
    "Adversarial",
    "BinClassification",
    "Classification",
    "FlowMatching",
    "Likelihood",
    "Losses",
    "Regression",
    "Task",
]
