import resource
import subprocess
import sys

import pytest

from colorizer.cli import COMMANDS, main
from colorizer.paths import groups, options
from tests.conftest import Command


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_is_quick_and_has_examples(arguments: list[str]) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "colorizer", *arguments], capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the processor, so that a busy machine is not taken for a slow program.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    assert done.stdout.startswith("usage: colorizer")
    assert "examples:" in done.stdout


def test_help_names_every_choice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help"]) == 0
    words = set(capsys.readouterr().out.replace(",", " ").split())
    for group in groups():
        assert {group, *options(group)} <= words


def test_an_unknown_command_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    assert "Did you mean 'train'?" in capsys.readouterr().err


def test_version(command: Command) -> None:
    assert command("--version").stdout == "colorizer 0.1.0\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    shell = f"{sys.executable} -m colorizer --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
    assert "Traceback" not in done.stderr
