"""The code that a job's numbers depend on."""

from collections.abc import Iterable

from omegaconf import DictConfig, OmegaConf

from colorizer.config import targets
from colorizer.fingerprint import fingerprint_of, modules
from colorizer.metrics import metrics
from colorizer.runs.identity import identifying
from colorizer.runs.run import Run

# Of every job: the training, and the scoring after it.
TRAINING = "colorizer.train"


def job_modules(*written: DictConfig) -> dict[str, str]:
    """The modules that jobs need, with their hashes; see `colorizer.fingerprint.modules`.

    Args:
        *written: their recorded configs.
    """
    # They are found by name, not by an import that could be followed.
    measured = {type(metric).__module__ for metric in metrics().values()}
    roots = {root for one in written for root in targets(OmegaConf.create(identifying(one)))}
    return modules(TRAINING, *measured, *roots)


def job_code(*written: DictConfig) -> str:
    """The fingerprint of these modules."""
    return fingerprint_of(job_modules(*written))


def code_versions(runs: Iterable[Run]) -> int:
    """Count the versions of the code: runs of one version agree in the modules that both need.

    Older records name no modules, and are told apart by their fingerprint of all code.
    """
    versions: list[dict[str, str]] = []
    for run in runs:
        needed = run.environment.get("modules")
        own = {"": "", **needed} if needed else {"": run.status.get("code", "")}
        for known in versions:
            if all(known.get(name, own[name]) == own[name] for name in own):
                known |= own
                break
        else:
            versions.append(own)
    return len(versions)
