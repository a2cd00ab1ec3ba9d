"""The arguments of `colorizer evaluate`, which `--help` shows."""

import argparse

EXAMPLES = """\
examples:
  colorizer evaluate outputs/RUN outputs/OTHER_RUN --split val
  colorizer evaluate model=gray_copy
  colorizer evaluate mine.safetensors
  colorizer evaluate outputs/RUN data.root=/data/cifar
  colorizer evaluate outputs/FLOW model.temperature=0.5 --split val
  colorizer evaluate outputs/RUN_ON_PHOTOS data=cifar10"""


def parser() -> argparse.ArgumentParser:
    """The command line of `colorizer evaluate`."""
    made = argparse.ArgumentParser(
        "colorizer evaluate",
        description="Score runs and baselines on the test set by the whole protocol: fidelity, and "
        "believable colour in the eyes of a classifier, on all and on the chromatic images, as the "
        "output is and with the input's luminance put back, with 95 % bootstrap confidence "
        "intervals; between the baselines' rows and the real images'.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add(
        "what",
        nargs="*",
        metavar="RUN|WEIGHTS|OVERRIDE",
        help="run directories; weights by name or file; model=gray_copy, mean_chroma or "
        "gray_lookup; data.KEY=VALUE; and of the runs, for what is no weight, model.KEY=VALUE and "
        "representation.KEY=VALUE",
    )
    add("--split", choices=("test", "val"), default="test")
    add(
        "--weights",
        choices=("best", "last"),
        help="of unfinished runs, too; default: the best of finished ones",
    )
    _add_more_to_score(made)
    judge = "a judge to use in place of the package's three; may be given several times"
    add("--judge", action="append", default=[], metavar="FILE", help=judge)
    folder = (
        "of scores.md, scores.csv, scores.json and report.html; default: evaluation/ in the one "
        "run's folder, else in the current one"
    )
    add("-o", "--output", metavar="FOLDER", help=folder)
    trust = "also build networks of this package when a run's config asks for them"
    add("--trust", action="append", default=[], metavar="PACKAGE", help=trust)
    return made


def _add_more_to_score(made: argparse.ArgumentParser) -> None:
    add = made.add_argument
    add(
        "--learned-2afc",
        action="store_true",
        help="also train discriminators of two architectures, on half of the images, to tell "
        "outputs from real images, and score them on the other half: 50 is ideal",
    )
    add(
        "--controls",
        action="store_true",
        help="also score every colorizer with more saturation, which is no skill: chroma times "
        "1.3, 1.5 and 1.7, and times a gain for each image, fitted on the validation images",
    )
    add(
        "--ensemble",
        action="store_true",
        help="also score the mean of all of them, each of the image and of its mirror image",
    )
    add(
        "--draws",
        action="store_true",
        help="also score draws of colorizers that can draw: one, the mean of 8, the best of 8",
    )
    add(
        "--sanity",
        action="store_true",
        help="score real images with one thing wrong each: what each number can see",
    )
