"""`colorizer colorize`: photographs in colour."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorizer.commands.colorize_help import parser
from colorizer.console import complain, say
from colorizer.errors import RunError, UserError, first_line, shown

if TYPE_CHECKING:
    from colorizer.loaded import LoadedColorizer
    from colorizer.photographs.batch import Done, Request
    from colorizer.photographs.places import Places


def main(arguments: Sequence[str]) -> None:
    """Colour the photographs that a command line names, and say what became of them.

    Raises:
        UserError: see `places_of` and `colorizer.load`; or a device that is not there.
        RunError: some could not be coloured.
    """
    argument_parser = parser()
    options = argument_parser.parse_args(arguments)
    if options.seed is not None and options.samples is None:
        argument_parser.error("--seed is of --samples K")
    from colorizer.photographs.batch import Request
    from colorizer.photographs.places import check_apart, places_of

    places = places_of(options.paths, options.output)
    check_apart(places)
    request = Request(
        resolution=options.resolution,
        saturation=options.saturation,
        samples=options.samples,
        seed=options.seed or 0,
        compare=options.compare,
        overwrite=options.overwrite,
        format=places.format,
    )
    _report(_colorize(places, request, options), places)


def _colorize(
    places: "Places", request: "Request", options: argparse.Namespace
) -> "dict[Path, Done]":
    from tqdm import tqdm

    from colorizer.photographs.batch import colorize_file

    colorizer = _open(options)
    done = {}
    # Without a terminal there is no bar.
    for source in tqdm(places.outputs, unit="photo", disable=None, leave=False):
        done[source] = colorize_file(colorizer, source, places.outputs[source], request)
    return done


def _open(options: argparse.Namespace) -> "LoadedColorizer":
    import torch

    import colorizer
    from colorizer.colorizer import Sampling

    opened = colorizer.load(options.model, trust=options.trust, weights=options.weights)
    if options.samples is not None and not isinstance(opened, Sampling):
        raise UserError(
            f"{shown(options.model)} has one answer alone: --samples needs --model cifar10-vivid@1"
        )
    fastest = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return opened.to(options.device or fastest)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"--device {shown(options.device)}: {first_line(error)}") from error


def _report(done: "dict[Path, Done]", places: "Places") -> None:
    def count(**wanted: Any) -> int:
        return sum(
            all(getattr(one, key) == value for key, value in wanted.items())
            for one in done.values()
        )

    there, coloured = count(outcome="there"), count(outcome="coloured")
    also = [f"{there} were there already (--overwrite makes them again)"] if there else []
    if places.passed_over:
        plural = "" if places.passed_over == 1 else "s"
        also.append(f"{places.passed_over} other file{plural} passed over")
    say("; ".join([f"{_photographs(coloured)} coloured", *also]))
    if gray := count(outcome="coloured", in_colour=True):
        say(f"{_photographs(gray)} had colour channels: made gray first, from their luminance")
    if deep := count(outcome="coloured", deep=True):
        say(f"{_photographs(deep)} had 16 bits a channel: 8 are kept")
    failed = {path: one.message for path, one in done.items() if one.outcome == "failed"}
    failed |= places.unreadable
    for path, message in failed.items():
        complain(f"not coloured: {shown(path, most=300)}: {message}")
    if failed:
        raise RunError(f"{len(failed)} of {len(done) + len(places.unreadable)} not coloured")


def _photographs(count: int) -> str:
    return f"{count} photograph{'' if count == 1 else 's'}"
