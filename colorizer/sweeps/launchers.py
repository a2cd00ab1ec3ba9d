"""What this project has to know of Hydra's launchers."""

import importlib.util
from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer.errors import UserError
from colorizer.processes import available_cores

# The extra of pyproject.toml that a launcher comes with.
EXTRAS = {
    "hydra_joblib_launcher": "local",
    "hydra_ray_launcher": "gpus",
    "hydra_submitit_launcher": "slurm",
}


def in_process(launcher: DictConfig) -> bool:
    """Whether the jobs run one after another in the process of the sweep."""
    return str(launcher._target_).endswith(".BasicLauncher")


def check_launcher(launcher: DictConfig) -> None:
    """Whether a launcher is there and can run anything.

    Raises:
        UserError: its extra is not installed, or it would wait for GPUs that there are not.
    """
    package = str(launcher._target_).split(".")[1] if "." in str(launcher._target_) else ""
    extra = EXTRAS.get(package)
    if extra and importlib.util.find_spec(f"hydra_plugins.{package}") is None:
        raise UserError(
            f"hydra/launcher: {package} is not installed: pip install 'colorizer[{extra}]' "
            f"(in a checkout: pip install -e '.[{extra}]')"
        )
    if package == "hydra_ray_launcher" and OmegaConf.select(launcher, "ray.remote.num_gpus"):
        import torch

        ours = OmegaConf.select(launcher, "ray.init.address") in (None, "local")
        if ours and not torch.cuda.is_available():
            raise UserError(
                "hydra/launcher=gpus: this machine has no GPU, and the jobs would wait for one; "
                "hydra/launcher=local runs several jobs on the processor"
            )


def check_old_sweeper() -> None:
    """Whether the published Optuna sweeper is out of the way.

    Raises:
        UserError: it is installed; a config file named like its own is an error of Hydra's.
    """
    if importlib.util.find_spec("hydra_plugins.hydra_optuna_sweeper") is not None:
        raise UserError(
            "hydra-optuna-sweeper is installed: it needs an Optuna below 3 and takes the name of "
            "this project's sweeper; pip uninstall hydra-optuna-sweeper"
        )


def prepare(launcher: Any) -> None:
    """Start what a launcher of Hydra's needs, before signal handlers are set: Ray sets its own."""
    if type(launcher).__name__ == "RayLauncher":
        from hydra_plugins.hydra_ray_launcher._launcher_util import start_ray

        start_ray(launcher.ray_cfg.init)


def jobs_at_once(launcher: Any) -> int:
    """How many jobs share the cores of this machine."""
    cores = available_cores()
    target = str(launcher._target_)
    if "hydra_joblib_launcher" in target:
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
    """How many trials of a search a launcher is given together."""
    if "hydra_submitit_launcher" in str(launcher._target_):
        return int(launcher.get("array_parallelism") or jobs_at_once(launcher))
    return jobs_at_once(launcher)
