"""MLflow."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning.loggers as lightning
from lightning_fabric.loggers.logger import rank_zero_experiment
from lightning_fabric.utilities.rank_zero import rank_zero_only
from PIL.Image import Image

from colorizer.loggers.harmless import Harmless, harmless, harmless_experiment

# Runs of all folders in one file, as `mlflow ui` shows them beside each other.
STORE = "outputs/mlflow.db"
LOCAL = "sqlite:///"

# The tag by which a training finds its run again: MLflow's own numbers cannot be chosen.
ID = "colorizer_id"

# What MLflow calls the state of a run.
STATES = {"finished": "FINISHED", "pruned": "FINISHED", "interrupted": "KILLED"}

# What is not set otherwise: nothing is sent to anybody but the server, and one that does not answer
# costs a training seconds and not minutes.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
}


class MLFlowLogger(Harmless, lightning.MLFlowLogger):
    """Lightning's, which goes on with an interrupted training and whose failures end none.

    Args:
        experiment_name: what the runs are gathered under.
        run_name: in MLflow's tables.
        tracking_uri: a server's address or `sqlite:///FILE`; None: $MLFLOW_TRACKING_URI, else a
            file in outputs/.
        artifact_location: where the pictures of a new experiment go; None: where the server says,
            or beside the file.
        group: of the run, kept as a tag.
        tags: of the run, each without a value.
        colorizer_id: the same whenever the training is gone on with.
    """

    tracker = "MLflow"

    def __init__(
        self,
        experiment_name: str = "colorizer",
        run_name: str | None = None,
        tracking_uri: str | None = None,
        artifact_location: str | None = None,
        group: str | None = None,
        tags: Sequence[str] | None = None,
        colorizer_id: str | None = None,
    ) -> None:
        for key, value in ENVIRONMENT.items():
            os.environ.setdefault(key, value)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or f"{LOCAL}{STORE}"
        known = {**dict.fromkeys(tags or (), ""), **({"group": group} if group else {})}
        self._goes_on = False
        self._colorizer_id = colorizer_id
        if colorizer_id:
            known[ID] = colorizer_id
        try:
            if uri.startswith(LOCAL):
                path = Path(uri.removeprefix(LOCAL)).absolute()
                path.parent.mkdir(parents=True, exist_ok=True)
                uri = f"{LOCAL}{path}"
                artifact_location = artifact_location or str(path.with_suffix(""))
            super().__init__(
                experiment_name, run_name, uri, known, artifact_location=artifact_location
            )
        except Exception as error:
            self.give_way(error)

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """MLflow's client."""
        return _experiment(self)

    def begin(self) -> None:
        """Make the experiment where it is missing, and go on with the run of an earlier sitting."""
        from mlflow.exceptions import MlflowException

        client, name = self._mlflow_client, self._experiment_name
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            try:
                self._experiment_id = client.create_experiment(name, self._artifact_location)
                return
            except MlflowException:  # another job has just made it
                experiment = client.get_experiment_by_name(name)
        if self._colorizer_id and experiment:
            number = experiment.experiment_id
            for run in client.search_runs([number], f"tags.{ID} = '{self._colorizer_id}'")[:1]:
                self._run_id = run.info.run_id
                self._goes_on = True
                client.update_run(self._run_id, status="RUNNING")

    def _log_image(self, key: str, images: list[Image], step: int | None = None) -> None:
        for image in images:
            self.experiment.log_image(self.run_id, image, key=key, step=step)

    def _log_hyperparams(self, params: Any) -> None:
        _ = self.experiment
        if not self._goes_on:  # MLflow refuses a second value
            lightning.MLFlowLogger.log_hyperparams(self, params)

    def _end(self, state: str) -> None:
        if self._initialized:
            self.experiment.set_tag(self.run_id, "state", state)
            self.experiment.set_terminated(self.run_id, STATES.get(state, "FAILED"))

    log_metrics = harmless(lightning.MLFlowLogger.log_metrics)
    log_hyperparams = rank_zero_only(harmless(_log_hyperparams))
    log_image = rank_zero_only(harmless(_log_image))
    end = rank_zero_only(harmless(_end))

    def finalize(self, status: str = "success") -> None:
        """Nothing yet: the test comes after Lightning's end of a training."""


def _client(logger: MLFlowLogger) -> Any:
    if not logger._initialized and logger._run_id is None:
        logger.begin()
    return lightning.MLFlowLogger.experiment.fget(logger)  # type: ignore[attr-defined]


_experiment = harmless_experiment(_client)
