"""Writes trained colorizers as files: `colorizer weights`."""

from collections.abc import Sequence
from pathlib import Path

from colorizer.console import say
from colorizer.errors import UserError
from colorizer.runs import open_finished
from colorizer.weights.files import SUFFIX, Weights, names, save_weights


def main(
    folder: str | None, output: str | None, trust: Sequence[str], changes: Sequence[str] = ()
) -> None:
    """Write a run's weights, and say what is in the file; or list those of the package.

    Args:
        folder: a finished run.
        output: the file.
        trust: packages of network classes, beside the project's own.
        changes: see `changed`.

    Raises:
        UserError: see `open_finished` and `save_weights`; or a file of another ending.
    """
    if folder and output:
        path = Path(output)
        if path.suffix != SUFFIX:
            raise UserError(f"{path}: the file's name has to end with {SUFFIX}")
        save_weights(open_finished(folder), path, trust, changes)
        say(_line(Weights(path)))
        return
    for name in names():
        say(_line(Weights(name)))
    if not names():
        say("no colorizers come with this version")


def _line(weights: Weights) -> str:
    results = weights.results
    megabytes = weights.path.stat().st_size / 1e6
    psnr = results.get("test/psnr")
    scored = "not scored on the test set" if psnr is None else f"{psnr:.2f} dB"
    return (
        f"{weights.name:<24}  {megabytes:5.1f} MB  {results['data']}, "
        f"{results['parameters'] / 1e6:.2f} M parameters, {results['epochs']} epochs, {scored}"
    )
