"""Hydra's launchers: whether they can run, and how many jobs they run at once."""

import importlib.util
import os
import socket
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer import signals
from colorizer.errors import UserError, first_line, not_installed
from colorizer.processes import available_cores

# The extra of pyproject.toml that a launcher comes with.
EXTRAS = {
    "hydra_joblib_launcher": "local",
    "hydra_ray_launcher": "gpus",
    "hydra_submitit_launcher": "slurm",
}

# Addresses by which Ray starts a cluster of its own.
OWN_RAY = (None, "local")

# The variable that tells the processes of another cluster the sweep's working folder.
FOLDER = "COLORIZER_SWEEP_FOLDER"


def in_process(launcher: DictConfig) -> bool:
    """True if the jobs run one after another in the process of the sweep."""
    return str(launcher._target_).endswith(".BasicLauncher")


def in_local_worker(launcher: DictConfig) -> bool:
    """True if the jobs run in worker processes that the sweep's process has started."""
    return "hydra_joblib_launcher" in str(launcher._target_)


def check_launcher(launcher: DictConfig) -> None:
    """Check that a launcher is installed and can run jobs.

    Raises:
        UserError: its extra is not installed, nobody listens at the address of its cluster, or it
            would wait for GPUs that this machine lacks.
    """
    package = str(launcher._target_).split(".")[1] if "." in str(launcher._target_) else ""
    extra = EXTRAS.get(package)
    if extra and importlib.util.find_spec(f"hydra_plugins.{package}") is None:
        raise UserError(not_installed(f"hydra/launcher: {package}", extra))
    address = OmegaConf.select(launcher, "ray.init.address")
    if package == "hydra_ray_launcher" and address not in OWN_RAY:
        _check_reachable(str(address))
    elif package == "hydra_ray_launcher" and OmegaConf.select(launcher, "ray.remote.num_gpus"):
        import torch

        if not torch.cuda.is_available():
            raise UserError(
                "hydra/launcher=gpus: this machine has no GPU, and the jobs would wait for one; "
                "hydra/launcher=local runs several jobs on the processor"
            )


def _check_reachable(address: str) -> None:
    """Check that somebody listens at HOST:PORT, for which Ray would wait for minutes.

    Raises:
        UserError: nobody does.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except OSError as error:
            raise UserError(f"hydra/launcher: no Ray at {address}: {first_line(error)}") from error


def check_old_sweeper() -> None:
    """Check that the published Optuna sweeper is not installed.

    Raises:
        UserError: it is; Hydra refuses this project's config file of the same name.
    """
    if importlib.util.find_spec("hydra_plugins.hydra_optuna_sweeper") is not None:
        raise UserError(
            "hydra-optuna-sweeper is installed: it needs an Optuna below 3 and takes the name of "
            "this project's sweeper; pip uninstall hydra-optuna-sweeper"
        )


def prepare(launcher: Any) -> None:
    """Start Ray where a launcher needs it, before signal handlers are set: it sets its own.

    The worker processes of joblib will end with this one, even while they wait for a job.
    """
    if in_local_worker(launcher.config.hydra.launcher):
        signals.lead()
        launcher.joblib["initializer"] = signals.follow
    if type(launcher).__name__ == "RayLauncher":
        from hydra_plugins.hydra_ray_launcher._launcher_util import start_ray

        init = launcher.ray_cfg.init
        address = init.get("address")
        if address not in OWN_RAY:
            hook = {"worker_process_setup_hook": f"{__name__}.enter"}
            ours = {"runtime_env": {**hook, "env_vars": {FOLDER: str(Path.cwd())}}}
            init = OmegaConf.merge(ours, init)
        try:
            start_ray(init)
        except (ConnectionError, ValueError) as error:
            raise UserError(f"hydra/launcher: no Ray at {address}: {first_line(error)}") from error


def enter() -> None:
    """Go where the sweep was started: a cluster's processes begin where their Ray was."""
    os.chdir(os.environ[FOLDER])


def jobs_at_once(launcher: Any) -> int:
    """Number of jobs that share the cores of this machine."""
    cores = available_cores()
    target = str(launcher._target_)
    if in_local_worker(launcher):
        return cores if launcher.n_jobs < 0 else max(1, int(launcher.n_jobs))
    if "hydra_ray_launcher" in target:
        total = OmegaConf.select(launcher, "ray.init.num_cpus") or cores
        jobs = total // (OmegaConf.select(launcher, "ray.remote.num_cpus") or 1)
        gpus = OmegaConf.select(launcher, "ray.remote.num_gpus")
        if gpus:
            import torch

            jobs = min(jobs, torch.cuda.device_count() // gpus)
        return max(1, int(jobs))
    return 1


def trials_at_once(launcher: Any) -> int:
    """Number of trials of a search that a launcher is given together."""
    if "hydra_submitit_launcher" in str(launcher._target_):
        return int(launcher.get("array_parallelism") or jobs_at_once(launcher))
    return jobs_at_once(launcher)
