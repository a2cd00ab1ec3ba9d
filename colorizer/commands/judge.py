"""`colorizer judge`: trained judges as files."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from colorizer.console import say
from colorizer.errors import UserError

if TYPE_CHECKING:
    from colorizer.data import ColorizationData


def main(arguments: Sequence[str]) -> None:
    """Write each run's judge as judge-SEED.safetensors, and say what the file scores.

    Raises:
        UserError: see `open_finished` and `write_imagenet_judge`; a run that is none of a judge;
            two of the same seed; or a folder that cannot be written to.
    """
    parser = argparse.ArgumentParser(
        "colorizer judge",
        description="Write judges, the classifiers behind semantic accuracy, recovered and the "
        "Fréchet distances, as half-precision files, and say what they score. colorizer evaluate "
        "--judge takes them.",
        epilog="examples:\n"
        "  colorizer train -m study=judge experiment=judge seed=0,1\n"
        "  colorizer judge outputs/judge/0 outputs/judge/1 -o judges\n"
        "  colorizer judge --imagenet mobilenetv2.pt -o judges",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="*", metavar="RUN", help="of experiment=judge")
    imagenet = "weights of MobileNetV2, for a judge on CIFAR-10 that has its features from ImageNet"
    parser.add_argument("--imagenet", metavar="FILE", help=imagenet)
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER")
    options = parser.parse_intermixed_args(arguments)
    from colorizer.evaluation import data_of
    from colorizer.evaluation.judges import accuracy, write_imagenet_judge, write_judge
    from colorizer.evaluation.subjects import checked, compose_data
    from colorizer.judge import Judge
    from colorizer.quiet import quiet
    from colorizer.runs import open_finished

    quiet()
    if not (options.folders or options.imagenet):
        raise UserError("no judge to write: name runs of experiment=judge, or --imagenet FILE")
    runs = [open_finished(folder) for folder in options.folders]
    for run in runs:
        if run.colorizes:
            raise UserError(f"{run.folder} is a run of a colorizer, not of a judge")
    seeds = [run.config.seed for run in runs]
    if len(set(seeds)) < len(seeds):
        raise UserError("two of these judges have the same seed, and would have the same file")
    written: list[tuple[Path, ColorizationData]] = []
    for run in runs:
        path, data = Path(options.output) / f"judge-{run.config.seed}.safetensors", data_of(run)
        write_judge(run, data, path)
        written.append((path, data))
    if options.imagenet:
        path, data = Path(options.output) / "imagenet.safetensors", checked(compose_data([]))
        write_imagenet_judge(Path(options.imagenet), data, path)
        written.append((path, data))
    for path, data in written:
        megabytes = path.stat().st_size / 1e6
        say(f"{path}  {megabytes:.1f} MB, test accuracy {accuracy(Judge(path), data):.2f} %")
