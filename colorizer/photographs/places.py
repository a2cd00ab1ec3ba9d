"""Which photographs a command line names, and where each is written."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from colorizer.errors import UserError, shown
from colorizer.photographs.pictures import FORMATS


@dataclass
class Places:
    """Photographs and where their colours go.

    Args:
        outputs: by the file that is read.
        passed_over: files in folders whose names are not those of photographs.
        unreadable: folders that cannot be looked into, with the reason.
        format: of the outputs; None: each its own.
    """

    outputs: dict[Path, Path] = field(default_factory=dict)
    passed_over: int = 0
    unreadable: dict[Path, str] = field(default_factory=dict)
    format: str | None = None


def places_of(paths: Sequence[str], output: str) -> Places:
    """Where to write what is named: below a folder, as it lies in the folders that are named.

    Args:
        paths: files, whatever they are called; and folders, in which those with the ending of a
            photograph are meant. Links to folders are followed where they are named alone.
        output: a folder; or a file with the ending of a photograph, for one file.

    Raises:
        UserError: a path that is not there; or an output that would be another's, or the photograph
            itself.
    """
    places, out = Places(), Path(output)
    named = [Path(path) for path in paths]
    for path in named:
        if not os.path.lexists(path):
            raise UserError(f"there is no {shown(path, most=200)}")
    suffix = out.suffix.lower()
    if len(named) == 1 and not named[0].is_dir() and suffix in FORMATS and not out.is_dir():
        _add(places, named[0], out)
        places.format = FORMATS[suffix]
        return places
    if os.path.lexists(out) and not out.is_dir():
        raise UserError(f"-o {shown(out, most=200)} is a file: several photographs need a folder")
    for path in named:
        if path.is_dir():
            for file in _inside(path, out, places):
                _add(places, file, out / file.relative_to(path))
        else:
            _add(places, path, out / path.name)
    return places


def _inside(folder: Path, out: Path, places: Places) -> Iterator[Path]:
    """The photographs in a folder and in those below it, in order; not those of the output."""

    def unreadable(error: OSError) -> None:
        places.unreadable[Path(error.filename)] = error.strerror or "it cannot be read"

    for place, folders, files in os.walk(folder, onerror=unreadable):
        at = Path(place)
        folders[:] = sorted(f for f in folders if not _same(at / f, out))
        found = [at / file for file in sorted(files) if Path(file).suffix.lower() in FORMATS]
        places.passed_over += len(files) - len(found)
        yield from found


def _add(places: Places, source: Path, output: Path) -> None:
    if source in places.outputs:
        return
    if _same(source, output):
        raise UserError(f"{shown(output, most=200)} is the photograph itself: -o another folder")
    places.outputs[source] = output


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def check_apart(places: Places) -> None:
    """Raise UserError where two photographs would become the same file."""
    sources: dict[Path, Path] = {}
    for source, output in places.outputs.items():
        if output in sources:
            pair = f"{shown(sources[output], most=200)} and {shown(source, most=200)}"
            raise UserError(f"{pair} would both be {shown(output, most=200)}: one at a time")
        sources[output] = source
