"""`colorizer train`: one run, or with -m one for each combination of values."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from colorizer.errors import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig


def main(arguments: Sequence[str]) -> None:
    """Train what a command line asks for.

    Raises:
        UserError: before anything is written, whatever can be told by then.
        RunError: the training, or a job of a sweep, failed.
        KeyboardInterrupt: SIGINT or SIGTERM.
    """
    if {"-h", "--help"} & set(arguments):
        from colorizer.commands.train_help import say_help

        say_help()
        return
    from hydra._internal.utils import get_args_parser

    from colorizer import tracking

    tracking.check_environment()
    # Hydra's own parser; intermixed, so that overrides may stand on both sides of an option.
    options = get_args_parser().parse_intermixed_args(list(arguments))
    if options.experimental_rerun:
        raise UserError("--experimental-rerun executes a pickle file: give the overrides instead")
    if options.multirun or "hydra.mode=MULTIRUN" in options.overrides:
        from colorizer.commands.sweep import main as sweep

        sweep(arguments)
    elif options.cfg or options.info:
        from colorizer.commands.job import hand_over

        hand_over(arguments)
    else:
        _train_one(options.overrides, options.config_dir)


def _train_one(overrides: Sequence[str], config_dir: str | None) -> None:
    from colorizer import signals
    from colorizer.commands.job import run_alone, say_results
    from colorizer.config import compose_jobs
    from colorizer.console import complain
    from colorizer.quiet import quiet
    from colorizer.train import first_process

    quiet()
    signals.install()
    signals.lead()  # those that Lightning starts for the other devices
    (job,) = compose_jobs(overrides, config_dir=config_dir)
    if _one_of_several() and not any(o.startswith("hydra.run.dir=") for o in overrides):
        raise UserError(
            "this is one of several processes that share a run (torchrun, SLURM), and each would "
            "make a folder of its own: add hydra.run.dir=FOLDER"
        )
    # The other processes of a multi-GPU run share the directory that the first has checked.
    folder = Path(job.config.hydra.run.dir)
    if first_process() and _is_done(job.config, folder):
        say_results(folder)
        return
    try:
        run_alone(job.config)
    except KeyboardInterrupt:
        if first_process():
            complain(f"\n{_how_to_go_on(folder, overrides)}")
        raise


def _is_done(config: "DictConfig", folder: Path) -> bool:
    """Whether the training is finished; if not, raise UserError where it cannot be begun."""
    from colorizer.preflight import check
    from colorizer.runs import check_resumable, data_content, finished_before, identity_of, recorded

    written = recorded(config)
    identity = identity_of(written, data_content(config))
    if config.resume != "never" and finished_before(folder, identity):
        return True
    check_resumable(folder, written, identity, config.resume)
    check(config)
    return False


def _how_to_go_on(folder: Path, overrides: Sequence[str]) -> str:
    from colorizer.runs import place_of

    place = place_of(folder)
    saved = (
        f"{folder} is saved after step {place['step']}" if place else f"{folder} is at its start"
    )
    named = any(override.startswith("hydra.run.dir=") for override in overrides)
    where = [] if named else [f"hydra.run.dir={folder}"]
    command = shlex.join(["colorizer", "train", *overrides, *where])
    return f"{saved}. To go on: {command}"


def _one_of_several() -> bool:
    """True if torchrun or SLURM has started other processes for the same run."""
    by_slurm = os.environ.get("SLURM_JOB_NAME") not in ("bash", "interactive", None)
    tasks = os.environ.get("SLURM_NTASKS", "1") if by_slurm else "1"
    return int(os.environ.get("WORLD_SIZE", 1)) > 1 or int(tasks) > 1
