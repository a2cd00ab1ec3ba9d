"""What `colorizer colorize` takes."""

import argparse
from typing import Any

from colorizer.errors import shown

MODEL = "cifar10-faithful"
"""The shipped colorizer that is best to look at on photographs."""


def _number(least: float, most: float, kind: type = int) -> Any:
    """A type for argparse: numbers in a range."""

    def parse(text: str) -> Any:
        try:
            number = kind(text)
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{shown(text)}: from {least} to {most}")
        return number

    return parse


def parser() -> argparse.ArgumentParser:
    """The parser of `colorizer colorize`."""
    made = argparse.ArgumentParser(
        "colorizer colorize",
        description="Colour photographs: JPEG, PNG, TIFF and WebP files, and those in folders. "
        "Size, luminance, transparency, colour profile and metadata stay; pictures that are turned "
        "by their Exif data are turned upright; pictures in colour are made gray first. What is "
        "there already is left alone, so that the same command goes on where it stopped.",
        epilog="examples:\n"
        "  colorizer colorize grandmother.jpg -o coloured.jpg\n"
        "  colorizer colorize album/ -o coloured/\n"
        "  colorizer colorize album/ -o look/ --compare\n"
        "  colorizer colorize cat.png -o cats/ --model cifar10-vivid@1 --samples 4",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("paths", nargs="+", metavar="PATH", help="a photograph, or a folder")
    made.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="a folder, in which files are called and lie as before; or for one photograph a file",
    )
    made.add_argument(
        "--model",
        default=MODEL,
        metavar="NAME|RUN|FILE",
        help="name or file of weights, or a run directory; default: %(default)s",
    )
    _add_colours(made)
    made.add_argument("--compare", action="store_true", help="gray and colour side by side")
    made.add_argument("--overwrite", action="store_true", help="also make again what is there")
    made.add_argument(
        "--device", metavar="DEVICE", help="cpu, cuda, cuda:1, mps; default: a GPU if there is one"
    )
    made.add_argument("--weights", choices=("best", "last"), help="of an unfinished run, too")
    made.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="also build networks of this package when the model asks for them",
    )
    return made


def _add_colours(made: argparse.ArgumentParser) -> None:
    """What the colours depend on."""
    made.add_argument(
        "--resolution",
        type=_number(8, 1024),
        metavar="N",
        help="shorter side, in pixels, at which the network sees a photograph; "
        "default: the model's own, 48 for those of 32x32 images",
    )
    made.add_argument(
        "--saturation",
        type=_number(0, 10, float),
        default=1.0,
        metavar="X",
        help="factor of the colours; 0 is gray; default: 1",
    )
    made.add_argument(
        "--samples",
        type=_number(1, 1000),
        metavar="K",
        help="K draws of each, x-1.jpg, x-2.jpg, …; of a model that can draw",
    )
    made.add_argument(
        "--seed", type=_number(0, 2**32), metavar="N", help="of the first draw; default: 0"
    )
