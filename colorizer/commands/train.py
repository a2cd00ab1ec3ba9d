"""`colorizer train`: one run, or with -m one for each combination of values."""

import os
import textwrap
from collections.abc import Sequence
from pathlib import Path

from colorizer.console import say
from colorizer.errors import UserError

HELP = """\
usage: colorizer train [-m] [OVERRIDE ...]

Train, select and test a colorizer; write a run directory; print its scores beside the baselines'.

An override is GROUP=FILE for a file of conf/GROUP/, or KEY=VALUE for any key of the config:
{groups}
Several losses are summed: 'loss=[mse,ssim]' loss.weights.ssim=0.1. CIFAR-10 is looked for in
data.root, else $COLORIZER_DATA, else data/.

options:
  -m, --multirun   one run for each combination of comma-separated values
  --cfg job        print the config and stop
  --config-dir DIR also look for config files in DIR
  hydra.run.dir=DIR, hydra.sweep.dir=DIR
                   where the run or, with -m, the runs go; else below outputs/
  study=NAME       with -m: outputs/NAME, where the same command goes on; retry_failed=true runs
                   what failed again
  hydra/launcher=local|gpus|slurm
                   with -m: several jobs at a time (joblib, Ray, submitit)
  hydra/sweeper=optuna
                   with -m: search instead of every combination; hydra.sweeper.n_trials=20

examples:
  colorizer train
  colorizer train model=autoencoder loss=mse_smooth_structure optimizer.lr=3e-4 seed=1
  colorizer train experiment=course_cnn trainer.max_epochs=6
  colorizer train -m study=first model=linear,cnn,unet 'seed=range(3)'
  colorizer train -m study=lr hydra/sweeper=optuna 'optimizer.lr=tag(log, interval(1e-4,1e-2))'

exit status: 0 done, 1 a job failed, 2 a mistake in the command or the data, 130 interrupted
"""


def main(arguments: Sequence[str]) -> None:
    """Train what a command line asks for.

    Raises:
        UserError: before anything is written, whatever can be told by then.
        RunError: the training, or a job of a sweep, failed.
        KeyboardInterrupt: SIGINT or SIGTERM.
    """
    if {"-h", "--help"} & set(arguments):
        say(HELP.format(groups=_groups()).rstrip())
        return
    from hydra._internal.utils import get_args_parser

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
    from colorizer.commands.job import run_alone
    from colorizer.config import compose_jobs
    from colorizer.preflight import check
    from colorizer.quiet import quiet
    from colorizer.runs import check_free
    from colorizer.train import first_process

    quiet()
    signals.install()
    (job,) = compose_jobs(overrides, config_dir=config_dir)
    if _one_of_several() and not any(o.startswith("hydra.run.dir=") for o in overrides):
        raise UserError(
            "this is one of several processes that share a run (torchrun, SLURM), and each would "
            "make a folder of its own: add hydra.run.dir=FOLDER"
        )
    # The other processes of a multi-GPU run share the directory that the first has checked.
    if first_process():
        check_free(Path(job.config.hydra.run.dir))
        check(job.config)
    run_alone(job.config)


def _one_of_several() -> bool:
    """Whether torchrun or SLURM has started other processes for the same run."""
    by_slurm = os.environ.get("SLURM_JOB_NAME") not in ("bash", "interactive", None)
    tasks = os.environ.get("SLURM_NTASKS", "1") if by_slurm else "1"
    return int(os.environ.get("WORLD_SIZE", 1)) > 1 or int(tasks) > 1


def _groups() -> str:
    """A paragraph for each config group, with its files."""
    from colorizer.paths import groups, options

    return "\n".join(
        textwrap.fill(
            ", ".join(options(group)),
            width=98,
            initial_indent=f"  {group:<16}",
            subsequent_indent=" " * 18,
            break_on_hyphens=False,
        )
        for group in groups()
    )
