"""The help of `colorizer train` and `colorizer sweep`."""

import textwrap

from colorizer.console import say
from colorizer.paths import groups, options

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
  hydra/launcher=local|gpus|cluster|slurm
                   with -m: several jobs at a time (joblib, Ray, Ray on several machines, submitit)
  hydra/sweeper=optuna
                   with -m: search instead of every combination; hydra.sweeper.n_trials=20

examples:
  colorizer train
  colorizer train model=autoencoder loss=mse_smooth_structure optimizer.lr=3e-4 seed=1
  colorizer train experiment=course_cnn trainer.max_epochs=6
  colorizer train experiment=photographs data.root=FOLDER
  colorizer train -m study=first model=linear,cnn,unet 'seed=range(3)'
  colorizer train -m study=lr hydra/sweeper=optuna 'optimizer.lr=tag(log, interval(1e-4,1e-2))'

exit status: 0 done, 1 a job failed, 2 a mistake in the command or the data, 130 interrupted
"""


def say_help() -> None:
    """Print the help, with every file of every config group."""
    say(HELP.format(groups=_groups()).rstrip())


def _groups() -> str:
    """A paragraph for each config group, with its files."""
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
