"""What holds of every input: it is accepted, or refused in a line.

The same inputs as `make fuzz` tries, but smaller where one fails: hypothesis shrinks them.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import configs, inputs, readers, strangers
from tests.fuzz.bench import Bench
from tests.fuzz.campaign import Kind, attempt

CONFIGS = (configs.value_of_a_key, configs.config_file, configs.study_file, strangers.target)
READERS = (
    readers.json_of_a_run,
    readers.other_file_of_a_run,
    readers.config_of_a_run,
    readers.checkpoint,
    readers.weights,
    readers.judge,
    readers.sweep,
)
CALLS = (inputs.images, inputs.images, inputs.images, inputs.arguments)

RANDOMS = st.randoms(use_true_random=False)


def few(examples: int) -> settings:
    """The same examples each time, without a time limit: this one is the bench's."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYDRA_FULL_ERROR", "1")
        yield Bench(Path(tmp_path_factory.mktemp("fuzz")) / "bench")


def refused_in_a_line_or_accepted(kind: Kind, random: Random, bench: Bench) -> None:
    outcome, what = attempt(kind, random, bench)
    assert outcome in ("refused", "accepted"), what


@few(100)
@given(kind=st.sampled_from(CONFIGS), random=RANDOMS)
def test_the_config_checker(kind: Kind, random: Random, bench: Bench) -> None:
    refused_in_a_line_or_accepted(kind, random, bench)


@few(150)
@given(kind=st.sampled_from(READERS), random=RANDOMS)
def test_the_file_readers(kind: Kind, random: Random, bench: Bench) -> None:
    refused_in_a_line_or_accepted(kind, random, bench)


@few(150)
@given(kind=st.sampled_from(CALLS), random=RANDOMS)
def test_load_and_calls(kind: Kind, random: Random, bench: Bench) -> None:
    refused_in_a_line_or_accepted(kind, random, bench)
