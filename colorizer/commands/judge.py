"""`colorizer judge`: trained judges as files."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from colorizer.console import say
from colorizer.errors import UserError


def main(arguments: Sequence[str]) -> None:
    """Write each run's judge as judge-SEED.safetensors, and say what the file scores.

    Raises:
        UserError: see `open_finished`; a run that is none of a judge; two of the same seed; or a
            folder that cannot be written to.
    """
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
    from colorizer.evaluation import data_of
    from colorizer.evaluation.judges import accuracy, write_judge
    from colorizer.judge import Judge
    from colorizer.quiet import quiet
    from colorizer.runs import open_finished

    quiet()
    runs = [open_finished(folder) for folder in options.folders]
    for run in runs:
        if run.colorizes:
            raise UserError(f"{run.folder} is a run of a colorizer, not of a judge")
    seeds = [run.config.seed for run in runs]
    if len(set(seeds)) < len(seeds):
        raise UserError("two of these judges have the same seed, and would have the same file")
    for run in runs:
        path = Path(options.output) / f"judge-{run.config.seed}.safetensors"
        data = data_of(run)
        write_judge(run, data, path)
        megabytes = path.stat().st_size / 1e6
        say(f"{path}  {megabytes:.1f} MB, test accuracy {accuracy(Judge(path), data):.2f} %")
