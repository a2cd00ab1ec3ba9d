"""The `colorizer` command; each subcommand is imported when it is asked for."""

import argparse
import os
import sys
import textwrap
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from colorizer.errors import RunError, UserError

OK, FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130

OVERVIEW = """\
usage: colorizer COMMAND ...

Experiments in image colorization: gray in, plausible colour out.

commands:
  train      train, test and show a colorizer; everything is a config override
  evaluate   score runs and baselines side by side
  report     one table and one HTML page from run directories
  study      run a study of experiments/, or make its tables again
  weights    write a trained colorizer as a file that colorizer.load takes
  judge      write trained judges as files for evaluate
  bench      compare the training loop and the data path with plain PyTorch

colorizer COMMAND --help says more.

examples:
  colorizer train                                  the default recipe on CIFAR-10
  colorizer train data=photos trainer.max_epochs=2 a first look, without a download
  colorizer evaluate outputs/RUN model=gray_copy
  colorizer report outputs
"""

TRAIN = """\
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
  colorizer train experiment=report_cnn trainer.max_epochs=6
  colorizer train -m study=first model=linear,cnn,unet 'seed=range(3)'
  colorizer train -m study=lr hydra/sweeper=optuna 'optimizer.lr=tag(log, interval(1e-4,1e-2))'

exit status: 0 done, 1 a job failed, 2 a mistake in the command or the data, 130 interrupted
"""


def entry_point() -> None:
    """What the console script calls."""
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe has gone, as `head` does; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = OK
    sys.exit(status)


def main(arguments: Sequence[str]) -> int:
    """Run a command and give back the exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(OVERVIEW)
        return OK
    command, rest = arguments[0], arguments[1:]
    commands = {
        "train": _train,
        "evaluate": _evaluate,
        "report": _report,
        "study": _study,
        "weights": _weights,
        "judge": _judge,
        "bench": _bench,
    }
    if command == "--version":
        from importlib.metadata import version

        sys.stdout.write(f"colorizer {version('colorizer')}\n")
        return OK
    if command not in commands:
        import difflib

        close = difflib.get_close_matches(command, commands, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there is {', '.join(commands)}"
        sys.stderr.write(f"colorizer: no command {command!r}; {hint}\n")
        return USER_ERROR
    return guarded(commands[command], rest)


def guarded(command: Callable[[Sequence[str]], Any], arguments: Sequence[str]) -> int:
    """Run a command; errors become an exit status and, for the user's mistakes, a line or two."""
    try:
        command(arguments)
    except UserError as error:
        return _say(error, USER_ERROR)
    except RunError as error:
        return _say(error, FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("\ncolorizer: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        from hydra.errors import HydraException
        from omegaconf.errors import OmegaConfBaseException

        if isinstance(error, HydraException | OmegaConfBaseException | OSError):
            return _say(error, USER_ERROR)
        traceback.print_exc()
        return FAILED
    return OK


def _say(error: Exception, status: int) -> int:
    sys.stderr.write(f"colorizer: {error}\n")
    return status


def _train(arguments: Sequence[str]) -> None:
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(TRAIN.format(groups=_groups()))
        return
    from colorizer.train import main as train

    train(arguments)


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


def _evaluate(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "colorizer evaluate",
        description="Score runs and baselines on the test set by the whole protocol: fidelity, and "
        "believable colour in the eyes of a classifier, on all and on the chromatic images, as the "
        "output is and with the input's luminance put back, with 95 % bootstrap confidence "
        "intervals; between the baselines' rows and the real images'.",
        epilog="examples:\n"
        "  colorizer evaluate outputs/RUN outputs/OTHER_RUN --split val\n"
        "  colorizer evaluate model=gray_copy\n"
        "  colorizer evaluate mine.safetensors\n"
        "  colorizer evaluate outputs/RUN data.root=/data/cifar\n"
        "  colorizer evaluate outputs/FLOW model.temperature=0.5 --split val\n"
        "  colorizer evaluate outputs/RUN_ON_PHOTOS data=cifar10",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="RUN|WEIGHTS|OVERRIDE",
        help="run directories; weights by name or file; model=gray_copy, mean_chroma or "
        "gray_lookup; data.KEY=VALUE; and of the runs, for what is no weight, model.KEY=VALUE and "
        "representation.KEY=VALUE",
    )
    parser.add_argument("--split", choices=("test", "val"), default="test")
    parser.add_argument("--weights", choices=("best", "last"), default="best")
    parser.add_argument(
        "--learned-2afc",
        action="store_true",
        help="also train discriminators, on half of the images, to tell outputs from real images, "
        "and score them on the other half: 50 is ideal",
    )
    parser.add_argument(
        "--sanity",
        action="store_true",
        help="score real images with one thing wrong each: what each number can see",
    )
    parser.add_argument(
        "--judge",
        action="append",
        default=[],
        metavar="FILE",
        help="a judge to use in place of the package's two; may be given several times",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        help="of scores.md, scores.csv, scores.json and report.html; default: evaluation/ in the "
        "one run's folder, else in the current one",
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="also build networks of this package when a run's config asks for them",
    )
    options = parser.parse_args(arguments)
    from colorizer.commands.evaluate import main as evaluate

    evaluate(
        options.what,
        options.split,
        options.weights,
        options.trust,
        options.judge,
        options.output,
        options.learned_2afc,
        options.sanity,
    )


def _report(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "colorizer report",
        description="Print one table and write one self-contained HTML page from run directories, "
        "finished or not: mean and standard deviation over seeds with paired differences, what was "
        "varied as parallel coordinates, learning curves, and the same images gray, predicted and "
        "true.",
        epilog="examples:\n"
        "  colorizer report outputs\n"
        "  colorizer report outputs/2026-11-22/* -o comparison.html\n"
        "  colorizer report outputs/report --keep experiments/report/runs",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="+", metavar="RUN_OR_FOLDER")
    parser.add_argument(
        "-o", "--output", help="the page; default: report.html in the folder, or in outputs/"
    )
    parser.add_argument(
        "--keep",
        metavar="FOLDER",
        help="also copy there what the page was made from: configs, results, curves and examples "
        "of the finished runs, without weights",
    )
    parser.add_argument(
        "--figures",
        metavar="FOLDER",
        help="also write table.md, table.csv, summary.csv, differences.csv and examples.png there",
    )
    options = parser.parse_args(arguments)
    from colorizer.report import main as report

    report(options.folders, options.output, options.keep, options.figures)


def _study(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "colorizer study",
        description="Run the study of experiments/NAME/study.yaml, or go on with it: a sweep in "
        "outputs/NAME.",
        epilog="examples:\n"
        "  colorizer study passthrough\n"
        "  colorizer study passthrough trainer.max_epochs=50 hydra/launcher=gpus\n"
        "  colorizer study passthrough --tables",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("study", metavar="NAME", help="below experiments/, or a folder")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="as of colorizer train")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="when all jobs are finished, replace the records, tables and figures of the study",
    )
    parser.add_argument(
        "--tables",
        action="store_true",
        help="run nothing: make the tables and figures again from the records",
    )
    options = parser.parse_intermixed_args(arguments)
    from colorizer.commands.study import main as study

    study(options.study, options.overrides, options.keep, options.tables)


def _weights(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "colorizer weights",
        description="Write the best weights of a run as a half-precision file with all that is "
        "needed to use it: colorizer.load in Python and colorizer evaluate take it. Without "
        "arguments, list those that come with the package.",
        epilog="examples:\n"
        "  colorizer weights outputs/RUN -o mine.safetensors\n"
        "  colorizer weights outputs/RUN model.temperature=0.5 -o vivid.safetensors\n"
        "  colorizer evaluate mine.safetensors",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", nargs="?", metavar="RUN")
    parser.add_argument(
        "changes", nargs="*", metavar="KEY=VALUE", help="what is no weight: model.KEY=VALUE"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="ends with .safetensors")
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="also build networks of this package when the run's config asks for them",
    )
    options = parser.parse_intermixed_args(arguments)
    if (options.run is None) != (options.output is None):
        parser.error("a run needs -o FILE, and -o FILE a run")
    from colorizer.commands.weights import main as weights

    weights(options.run, options.output, options.trust, options.changes)


def _judge(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "colorizer judge",
        description="Write judges, the classifiers behind semantic accuracy and FD-cifar, as "
        "half-precision files, and say what they score. colorizer evaluate --judge takes them.",
        epilog="examples:\n"
        "  colorizer train -m study=judge experiment=judge seed=0,1\n"
        "  colorizer judge outputs/judge/0 outputs/judge/1 -o judges",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="+", metavar="RUN", help="of experiment=judge")
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER")
    options = parser.parse_args(arguments)
    from colorizer.commands.judge import main as judge

    judge(options.folders, options.output)


def _bench(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "colorizer bench",
        description="Compare the training loop with a bare PyTorch loop over the same network, and "
        "the data path with torchvision's per-sample transforms, and measure what a job of a sweep "
        "takes beside its training. Medians of interleaved repetitions; writes outputs/bench.json.",
        epilog="examples:\n  colorizer bench\n  colorizer bench --repetitions 9 -o bench.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repetitions", type=int, default=5, help="of each measurement (5)")
    parser.add_argument("-o", "--output", default="outputs/bench.json")
    options = parser.parse_args(arguments)
    from colorizer.commands.bench import main as bench

    bench(options.repetitions, options.output)
