"""One training as Hydra runs it: alone, or as a job of a sweep."""

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.callbacks import Callbacks
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobStatus, run_job
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from colorizer import signals
from colorizer.config import CONFIG_NAME
from colorizer.console import complain, endure, say, show_messages
from colorizer.errors import Pruned, RunError, UserError
from colorizer.paths import config_folder
from colorizer.processes import available_cores
from colorizer.report.summary import Summary
from colorizer.runs import open_run
from colorizer.runs.names import describe
from colorizer.sweeps.launchers import in_local_worker, in_process, jobs_at_once
from colorizer.sweeps.plan import Sweep
from colorizer.sweeps.run import announce
from colorizer.train import first_process, train
from colorizer.trainer import PROFILE


def run_alone(config: DictConfig) -> None:
    """Run a composed config as one job, in `config.hydra.run.dir`.

    Raises:
        UserError, RunError, KeyboardInterrupt: see `colorizer.train.train`.
    """
    context = HydraContext(config_loader=None, callbacks=Callbacks(config))  # type: ignore[arg-type]
    done = run_job(run, config, "hydra.run.dir", None, context)
    if done.status == JobStatus.FAILED:
        raise done._return_value  # done.return_value would print a line of Hydra's


def hand_over(arguments: Sequence[str]) -> None:
    """Start Hydra with a command line; its sweepers and launchers call `run`."""
    sys.argv = [__file__, *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    hydra.main(version_base="1.3", config_path=str(config_folder()), config_name=CONFIG_NAME)(run)()


def run(config: DictConfig) -> float | None:
    """Train one job in the directory that Hydra gives it, and return the monitored metric.

    Raises:
        UserError, RunError, KeyboardInterrupt: see `colorizer.train.train`.
    """
    job = HydraConfig.get()
    local_worker = job.mode == RunMode.MULTIRUN and in_local_worker(job.launcher)
    with signals.ending_with_leader() if local_worker else contextlib.nullcontext():
        return _run(config, job)


def _run(config: DictConfig, job: Any) -> float | None:
    endure()
    show_messages()
    folder = Path(job.runtime.output_dir)
    overrides = [o for o in job.overrides.task if not o.startswith("+callbacks.pruning=")]
    title = config.name or describe(overrides)
    multirun = job.mode == RunMode.MULTIRUN
    in_order = in_process(job.launcher)
    if multirun and in_order:
        announce(folder, title, Sweep(folder.parent).read()[1])
    elif multirun:
        signals.install()
    try:
        trained = train(
            config,
            folder,
            overrides=overrides,
            choices={
                k: str(v) for k, v in job.runtime.choices.items() if not k.startswith("hydra/")
            },
            threads=max(1, available_cores() // jobs_at_once(job.launcher)) if multirun else None,
            progress=in_order or not multirun,
        )
    except (UserError, RunError) as error:
        if multirun and in_order:
            complain(f"job {folder.name} ({title}) failed: {error}")
        raise
    except signals.Stopped as stopped:
        signals.requeue(stopped)
        raise
    except Pruned as pruned:
        if in_order:
            say(f"job {folder.name} ({title}) pruned {pruned}")
        return None
    except Exception as error:
        traceback.print_exc()
        raise RunError(f"{title} failed: {type(error).__name__}: {error}") from error
    if not multirun and first_process():
        say_results(folder)
    value = trained.results.get(config.monitor)
    return None if value is None else float(value)


def say_results(folder: Path) -> None:
    """Print the table of a finished run, and where it is."""
    run = open_run(folder)
    if run.interim:
        complain(run.interim)
    say(f"\n{Summary([run]).text()}")
    say(f"\nrun       {_short(folder)}")
    for path in sorted(folder.glob(f"*{PROFILE}*")):
        say(f"profile   {_short(path)}")
    if (folder / "examples" / "test.png").is_file():
        say(f"examples  {_short(folder / 'examples' / 'test.png')}")


def _short(path: Path) -> Path:
    """Relative to the current folder where it is below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
