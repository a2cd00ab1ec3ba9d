"""The code that a class needs, on copies of the package and on packages outside it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import colorizer

UNET = ("colorizer.train", "colorizer.models.UNet", "colorizer.losses.MSE", "torch.optim.AdamW")


def modules(path: Path, *roots: str) -> dict[str, str]:
    """`colorizer.fingerprint.modules` of the packages in a folder, in a process of its own."""
    code = f"import json, colorizer.fingerprint as f; print(json.dumps(f.modules(*{roots})))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(path)},
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ModuleNotFoundError(done.stderr)
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package's code in a folder of its own."""
    ignore = shutil.ignore_patterns("__pycache__", "*.safetensors")
    shutil.copytree(Path(colorizer.__file__).parent, tmp_path / "colorizer", ignore=ignore)
    return tmp_path


def edit(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text))


def test_what_a_unet_needs(copy: Path) -> None:
    found = modules(copy, *UNET)
    assert {"colorizer.train", "colorizer.models.unet", "colorizer.models.blocks"} <= set(found)
    assert {"colorizer.color", "colorizer.data.base", "colorizer.losses.error"} <= set(found)
    # Neither other networks and losses, nor what changes no number, nor other people's packages.
    for name in ("models.autoencoder", "losses.smoothness", "config.keys", "console", "cli"):
        assert f"colorizer.{name}" not in found
    assert {name.partition(".")[0] for name in found} == {"colorizer"}
    # Every network of the package is imported where the package itself is meant.
    everything = modules(copy, "colorizer.models")
    assert {"colorizer.models.autoencoder", "colorizer.models.unet"} <= set(everything)


@pytest.mark.parametrize(
    ("file", "change", "matters"),
    [
        ("models/unet.py", lambda s: s.replace('"""', '"""Other words. ', 1), False),
        ("models/unet.py", lambda s: f"# A comment.\n{s}\n\n", False),
        ("models/unet.py", lambda s: f"{s}\nFACTOR = 3\n", True),
        ("color.py", lambda s: s.replace("0.299", "0.298"), True),
        ("models/autoencoder.py", lambda s: f"{s}\nFACTOR = 3\n", False),
        ("losses/smoothness.py", lambda s: f"{s}\nFACTOR = 3\n", False),
        ("console.py", lambda s: f"{s}\nFACTOR = 3\n", False),
        ("models/__init__.py", lambda s: s.replace("from colorizer.models.linear import", "#"), 0),
    ],
)
def test_an_edit(copy: Path, file: str, change: Callable[[str], str], matters: bool) -> None:
    before = modules(copy, *UNET)
    edit(copy / "colorizer" / file, change)
    assert (modules(copy, *UNET) != before) == matters


@pytest.mark.parametrize("file", ["models/blocks.py", "color.py", "models/unet.py"])
def test_a_missing_file_is_an_error(copy: Path, file: str) -> None:
    (copy / "colorizer" / file).rename(copy / "colorizer" / f"{file}.old")
    name = f"colorizer.{file.removesuffix('.py').replace('/', '.')}"
    with pytest.raises(ModuleNotFoundError, match=name):
        modules(copy, *UNET)


FILES = {
    "mine/__init__.py": "from mine.net import Net\nfrom mine.other import Other\nVERSION = 1\n",
    "mine/net.py": """
from typing import TYPE_CHECKING
import torch
from colorizer.models.blocks import NAME
from . import helpers
if TYPE_CHECKING:
    from mine.types import Shape
try:
    from mine._written_by_the_build import version
except ImportError:
    version = "0"

class Net:
    def build(self):
        from mine.late import LAYERS
        return LAYERS
""",
    "mine/helpers.py": "",
    "mine/late.py": "LAYERS = 3\n",
    "mine/other.py": "import mine.late\n",
    "mine/types.py": "Shape = tuple\n",
    "acting/__init__.py": "from acting.a import A\nfrom acting.b import B\nprint(B)\n",
    "acting/a.py": "class A: ...\n",
    "acting/b.py": "class B: ...\n",
}


@pytest.fixture
def mine(copy: Path) -> Path:
    """A user's packages beside it."""
    for name, text in FILES.items():
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(text)
    return copy


def test_a_users_own_package_is_followed(mine: Path) -> None:
    found = set(modules(mine, "mine.Net"))
    # The late import is, the one for type checkers and the package's other names are not.
    assert {name for name in found if name.startswith("mine")} == {
        "mine.net",
        "mine.helpers",
        "mine.late",
    }
    assert "colorizer.models.blocks" in found
    assert set(modules(mine, "mine.other.Other")) == {"mine.other", "mine.late"}
    before = modules(mine, "mine.Net")
    edit(mine / "mine" / "late.py", lambda s: s.replace("3", "4"))
    assert modules(mine, "mine.Net") != before


def test_a_package_that_does_more_than_import_counts_itself(mine: Path) -> None:
    assert set(modules(mine, "acting.A")) == {"acting", "acting.a", "acting.b"}
    assert "mine" in modules(mine, "mine.VERSION")


def test_a_users_name_that_is_not_there(mine: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="mine has no 'Nett'"):
        modules(mine, "mine.Nett")
