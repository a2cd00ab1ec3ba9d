"""The files for `wandb sweep`: W&B's own schema takes them, and their agents' commands are ours."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from colorizer.config import compose_jobs, resolved

FILES = sorted((Path(__file__).parents[1] / "experiments").glob("*/wandb_sweep.yaml"))


def schema() -> Any:
    """From W&B's package `sweeps`, which is installed without its dependencies: it is only data."""
    found = importlib.util.find_spec("sweeps")
    if found is None or found.origin is None:
        pytest.skip("needs `pip install --no-deps sweeps`, as make setup does it")
    return json.loads((Path(found.origin).parent / "config" / "schema.json").read_text())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_wandb_takes_the_file(file: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    rules = schema()
    content = yaml.safe_load(file.read_text())
    jsonschema.validate(content, rules)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "method": "guess"}, rules)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_an_agents_command_is_one_of_ours(file: Path) -> None:
    """`${args_no_hyphens}` becomes KEY=VALUE, for each parameter."""
    content = yaml.safe_load(file.read_text())
    assert content["command"] == ["colorizer", "train", "${args_no_hyphens}"]

    def arguments(choose: Any) -> list[str]:
        return [f"{key}={choose(space)}" for key, space in content["parameters"].items()]

    for choose in (
        lambda s: s.get("value", s.get("min", s.get("values", [0])[0])),
        lambda s: s.get("value", s.get("max", s.get("values", [0])[-1])),
    ):
        (job,) = compose_jobs(arguments(choose))
        config = resolved(job.config, ".")
        assert config.test is False
    # What the sweep looks for is what a run logs and chooses by.
    assert content["metric"]["name"] == config.monitor
    assert content["metric"]["goal"] == {"min": "minimize", "max": "maximize"}[config.monitor_mode]
