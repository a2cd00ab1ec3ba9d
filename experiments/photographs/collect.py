"""Collects the photographs of `sources.csv` into a folder: `python collect.py FOLDER`.

They come with Debian packages (12, bookworm; `apt-get download` fetches them, nothing is installed)
and with scikit-image. One that is not there is named and left out.
"""

import csv
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import skimage

from colorizer.console import complain, say
from colorizer.picture_files import SUFFIXES

SOURCES = Path(__file__).parent / "sources.csv"

# Where GCompris has its pictures.
RESOURCES = "usr/share/gcompris-qt/rcc/*.rcc"


def collect(folder: Path) -> None:
    """Write the photographs, named by package and file, into a folder."""
    with SOURCES.open(newline="") as file:
        rows = list(csv.DictReader(file))
    folder.mkdir(parents=True, exist_ok=True)
    found = 0
    with tempfile.TemporaryDirectory() as temporary:
        for package in dict.fromkeys(row["package"] for row in rows):
            root = _contents(package, Path(temporary))
            for row in rows:
                if row["package"] != package:
                    continue
                path = root / row["file"]
                if path.is_file():
                    name = "-".join(Path(row["file"]).parts[-4:])
                    shutil.copyfile(path, folder / f"{package}-{name}")
                    found += 1
                else:
                    complain(f"{package} has no {row['file']}")
    say(f"{found} of {len(rows)} photographs are in {folder}")


def _contents(package: str, temporary: Path) -> Path:
    """The folder with the files of a package."""
    if package == "scikit-image":
        return Path(skimage.__file__).parent / "data"
    root = temporary / package
    root.mkdir()
    subprocess.run(["apt-get", "-qq", "download", package], cwd=root, check=True)
    (archive,) = root.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, root], check=True)
    for resource in root.glob(RESOURCES):
        for name, content in _pictures(resource.read_bytes()):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return root


def _pictures(file: bytes) -> Iterator[tuple[str, bytes]]:
    """The pictures in a binary resource of Qt's (`rcc`), with their paths in GCompris's source."""
    version, tree, data, names = struct.unpack_from(">4x4I", file)
    size = 14 if version < 2 else 22

    def node(index: int, folder: str) -> Iterator[tuple[str, bytes]]:
        at = tree + index * size
        name, flags = struct.unpack_from(">IH", file, at)
        length = struct.unpack_from(">H", file, names + name)[0]
        start = names + name + 6
        path = f"{folder}/{file[start : start + 2 * length].decode('utf-16-be')}" if index else ""
        if flags & 2:
            count, first = struct.unpack_from(">2I", file, at + 6)
            for child in range(first, first + count):
                yield from node(child, path)
        elif path.endswith(SUFFIXES):
            start = data + struct.unpack_from(">10xI", file, at)[0]
            end = start + 4 + struct.unpack_from(">I", file, start)[0]
            content = file[start + 4 : end]
            plain = zlib.decompress(content[4:]) if flags & 1 else content
            yield path.removeprefix("/gcompris/"), plain

    yield from node(0, "")


if __name__ == "__main__":
    collect(Path(sys.argv[1]))
