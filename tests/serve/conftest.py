"""The page, served from a process of its own, with real images and the package's colorizers."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from skimage import data


class Server(NamedTuple):
    """A server, and the folder that it was started in."""

    address: str
    folder: Path
    process: "subprocess.Popen[str]"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def served(folder: Path, *arguments: str, **environment: str) -> Iterator[Server]:
    """`colorizer serve ARGUMENTS` in a folder, until the block ends."""
    pytest.importorskip("gradio")
    process = subprocess.Popen(
        [sys.executable, "-m", "colorizer", "serve", "--port", str(free_port()), *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        address = next((line.split(",")[0] for line in lines if line.startswith("http")), None)
        assert address, process.wait()
        yield Server(address, folder, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture(scope="session")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph, 512 pixels wide."""
    path = tmp_path_factory.mktemp("pictures") / "My astronaut (1).jpg"
    Image.fromarray(data.astronaut()).save(path, quality=95)
    return path
