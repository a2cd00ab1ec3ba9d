"""Lightning's loggers, so that an interrupted training goes on in them and none ends a training."""

from colorizer.loggers.csv import CSVLogger
from colorizer.loggers.mlflow import MLFlowLogger
from colorizer.loggers.tensorboard import TensorBoardLogger
from colorizer.loggers.wandb import WandbLogger

__all__ = ["CSVLogger", "MLFlowLogger", "TensorBoardLogger", "WandbLogger"]
