import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from colorizer.files import atomic_write, json_ready, write_json, write_text


def write_half(path: Path) -> None:
    with atomic_write(path) as part:
        part.write_text("aft")
        raise ValueError("half written")


def test_a_file_is_replaced_completely_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "before")
    with pytest.raises(ValueError, match="half written"):
        write_half(path)
    assert path.read_text() == "before"
    with atomic_write(path) as part:
        part.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "[1].txt"
    gone = subprocess.Popen(["true"])
    gone.wait()
    for number in (gone.pid, os.getppid()):
        (tmp_path / f"{path.name}.{socket.gethostname()}.{number}.partial").touch()
    write_text(path, "after")
    left = f"{path.name}.{socket.gethostname()}.{os.getppid()}.partial"
    assert {file.name for file in tmp_path.iterdir()} == {path.name, left}


def test_what_json_has_no_number_for(tmp_path: Path) -> None:
    values = {"psnr": float("inf"), "mse": 0.0}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", values)
    write_json(tmp_path / "a.json", json_ready(values))
    assert json.loads((tmp_path / "a.json").read_text()) == {"psnr": None, "mse": 0.0}
