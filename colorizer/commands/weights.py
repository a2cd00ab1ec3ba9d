"""`colorizer weights`: trained colorizers as files."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from colorizer.weights import Weights


def main(arguments: Sequence[str]) -> None:
    """Write a run's weights as a file, and say what it holds; or list the package's.

    Raises:
        UserError: see `open_scored` and `save_weights`; or a file of another ending.
    """
    parser = _parser()
    options = parser.parse_intermixed_args(arguments)
    if (options.run is None) != (options.output is None):
        parser.error("a run needs -o FILE, and -o FILE a run")
    from colorizer.console import say
    from colorizer.errors import UserError
    from colorizer.runs import CHECKPOINTS, open_scored
    from colorizer.weights import SUFFIX, Weights, names, save_weights

    if options.output:
        path = Path(options.output)
        if path.suffix != SUFFIX:
            raise UserError(f"{path}: the file's name has to end with {SUFFIX}")
        run = open_scored(options.run, options.weights)
        checkpoint = CHECKPOINTS[options.weights or "best"]
        resolution = _resolution(options.resolution)
        save_weights(run, path, options.trust, options.changes, checkpoint, resolution)
        say(_line(Weights(path)))
        return
    for name in names():
        say(_line(Weights(name)))
    if not names():
        say("no colorizers come with this version")


def _resolution(given: int | None) -> int | None:
    from colorizer.errors import UserError
    from colorizer.photographs.resolution import LEAST, MOST

    if given is not None and not LEAST <= given <= MOST:
        raise UserError(f"--resolution {given}: pixels, from {LEAST} to {MOST}")
    return given


def _parser() -> argparse.ArgumentParser:
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
        "--resolution",
        type=int,
        metavar="N",
        help="shorter side, in pixels, at which it sees photographs by default",
    )
    parser.add_argument(
        "--weights",
        choices=("best", "last"),
        help="of an unfinished run, too; default: the best of a finished one",
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="also build networks of this package when the run's config asks for them",
    )
    return parser


def _line(weights: "Weights") -> str:
    results = weights.results
    megabytes = weights.path.stat().st_size / 1e6
    psnr = results.get("test/psnr")
    changes = " ".join(weights.card.get("changes", ()))
    unscored = f"changed: {changes}" if changes else "not scored on the test set"
    scored = unscored if psnr is None else f"{psnr:.2f} dB"
    if note := results.get("note"):
        scored += f", {note}"
    return (
        f"{weights.name:<24}  {megabytes:5.1f} MB  {results['data']}, "
        f"{results['parameters'] / 1e6:.2f} M parameters, {results['epochs']} epochs, {scored}"
    )
