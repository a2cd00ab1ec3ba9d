"""`colorizer export`: trained colorizers for other programs."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from colorizer.runs import Run
    from colorizer.weights import Weights


def main(arguments: Sequence[str]) -> None:
    """Write a colorizer as ONNX or safetensors, and say how it was checked.

    Raises:
        UserError: see `open_trained`, `export_onnx` and `save_weights`; or another ending.
        RunError: the file does not do what the colorizer does.
    """
    options = _parser().parse_intermixed_args(arguments)
    from colorizer.console import say
    from colorizer.errors import UserError
    from colorizer.export import LARGEST_DIFFERENCE, export_onnx
    from colorizer.quiet import quiet
    from colorizer.runs import CHECKPOINTS
    from colorizer.weights import open_trained

    quiet()
    path = Path(options.output)
    if path.suffix != f".{options.format}":
        raise UserError(f"{path}: the file's name has to end with .{options.format}")
    trained = open_trained(options.colorizer, options.weights)
    checkpoint = CHECKPOINTS[options.weights or "best"]
    if options.format == "safetensors":
        _write_weights(trained, path, options, checkpoint)
        say(f"{path}  {_megabytes(path)}")
        return
    difference = export_onnx(trained, path, options.trust, options.changes, checkpoint)
    say(
        f"{path}  {_megabytes(path)}, differs from PyTorch by at most {difference:.1g} "
        f"on photographs ({LARGEST_DIFFERENCE:g} is allowed)"
    )


def _write_weights(
    trained: "Run | Weights", path: Path, options: argparse.Namespace, checkpoint: str
) -> None:
    """What `colorizer weights` writes; of weights that are a file already, a copy."""
    from colorizer.errors import UserError
    from colorizer.files import atomic_write
    from colorizer.weights import Weights, save_weights

    if not isinstance(trained, Weights):
        save_weights(trained, path, options.trust, options.changes, checkpoint)
        return
    if options.changes:
        raise UserError(f"{options.changes[0]}: to change it, name the run that {path} comes from")
    trained.colorizer(checkpoint, options.trust)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part:
            shutil.copyfile(trained.path, part)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "colorizer export",
        description="Write a trained colorizer for other programs: as ONNX, in single precision, "
        "for any number of images of any size, checked against PyTorch on photographs; or as the "
        "file of weights that colorizer.load takes. The file has the colorizer's card.",
        epilog="examples:\n"
        "  colorizer export cifar10-faithful --format onnx -o faithful.onnx\n"
        "  colorizer export outputs/RUN --format onnx -o mine.onnx\n"
        "  colorizer export outputs/RUN --format safetensors -o mine.safetensors",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "colorizer", metavar="RUN|NAME|FILE", help="a run directory, or weights by name or file"
    )
    parser.add_argument(
        "changes", nargs="*", metavar="KEY=VALUE", help="what is no weight: model.KEY=VALUE"
    )
    parser.add_argument("--format", choices=("onnx", "safetensors"), required=True)
    parser.add_argument("-o", "--output", required=True, metavar="FILE")
    parser.add_argument("--weights", choices=("best", "last"), help="of an unfinished run, too")
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="also build networks of this package when the config asks for them",
    )
    return parser
