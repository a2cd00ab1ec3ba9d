"""What this project has to know of Hydra's launchers."""

import importlib.util
import os
from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer.errors import UserError

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

        if not torch.cuda.is_available() and not OmegaConf.select(launcher, "ray.init.address"):
            raise UserError(
                "hydra/launcher=gpus: this machine has no GPU, and the jobs would wait for one; "
                "hydra/launcher=local runs several jobs on the processor"
            )


def jobs_at_once(launcher: Any) -> int:
    """How many jobs share the cores of this machine."""
    cores = available_cores()
    target = str(launcher._target_)
    if "hydra_joblib_launcher" in target:
        return cores if launcher.n_jobs < 0 else max(1, int(launcher.n_jobs))
    if "hydra_ray_launcher" in target:
        total = OmegaConf.select(launcher, "ray.init.num_cpus") or cores
        return max(1, int(total // (OmegaConf.select(launcher, "ray.remote.num_cpus") or 1)))
    return 1


def available_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
