"""Every key of the shipped configs, and whether its values are checked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from colorizer.config import compose_jobs, resolved
from colorizer.config.bounds import check_bounds
from colorizer.errors import UserError
from tests.fuzz.configs import BASES

# What no key takes more than one of.
WRONG: tuple[Any, ...] = ({"zzz": 1}, [[[]]], "abc def")

# W&B's own, which its own check refuses before there is a run folder; what nobody can set.
ELSEWHERE = ("logger.wandb.settings.", "run_dir")


def leaves(node: DictConfig, path: str = "") -> Iterator[str]:
    for key in map(str, node):
        child = node[key]
        if isinstance(child, DictConfig):
            yield from leaves(child, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def message(config: DictConfig, key: str, value: Any) -> str:
    """What is said of another value of a key; empty where it is taken."""
    right = OmegaConf.select(config, key)
    OmegaConf.update(config, key, value, merge=False, force_add=True)
    try:
        check_bounds(config)
    except UserError as error:
        return str(error)
    finally:
        OmegaConf.update(config, key, right, merge=False, force_add=True)
    return ""


@pytest.mark.parametrize("base", BASES, ids=" ".join)
def test_values_of_every_key_are_checked(base: tuple[str, ...]) -> None:
    photos = () if "data=cifar10" in base else ("data=photos",)
    (job,) = compose_jobs([*photos, *base])
    config = resolved(job.config, ".")
    keys = [key for key in leaves(config) if not key.startswith(ELSEWHERE)]
    assert len(keys) > 50
    for key in keys:
        messages = [message(config, key, value) for value in WRONG]
        assert sum(key in text for text in messages) >= len(WRONG) - 1, (key, messages)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"width: 3\n\tdepth: 3\n", ":2:1: found a tab character"),
        (b"width 3\ndepth: 3\n", ":2:6: mapping values are not allowed in this context"),
        (b"width: [3\n", ":2:1: did not find"),
        (b"width: 3\nwidth: 4\n", "width"),
        (b"width: '3\n", ":2:1: found unexpected end of stream"),
        (b"a: 1\nb: \xff\n", ":2:4: no UTF-8"),
        (b"a: \x00\n", "mine.yaml"),
        (b"- 3\n", "a list, where there should be keys with values"),
        (b"a: !!python/object/apply:os.getcwd []\n", ":1:4: could not determine a constructor"),
        (b"a: ${\n", "mine.yaml"),
    ],
)
def test_a_file_that_is_no_yaml(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model/mine.yaml"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        compose_jobs(["model=mine"], config_dir=str(tmp_path))
    text = str(caught.value)
    assert text.startswith(str(path))
    assert message in text
    assert "\n" not in text
