from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from colorizer.callbacks import NonFiniteLoss
from colorizer.errors import RunError


def feed(steps: list[dict[str, float]], every: int = 50) -> None:
    """Hand the callback the outputs of some steps, then the end of the epoch."""
    callback = NonFiniteLoss()
    trainer: Any = SimpleNamespace(global_step=0, log_every_n_steps=every)
    for step in steps:
        trainer.global_step += 1
        terms = {name: torch.tensor(value) for name, value in step.items()}
        outputs = {"loss": sum(terms.values()), "terms": terms}
        callback.on_train_batch_end(trainer, cast(Any, None), outputs, None, 0)
    callback.on_train_epoch_end(trainer, cast(Any, None))


def test_numbers_pass() -> None:
    feed([{"mse": 0.5, "tv": 1.0}] * 120)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_first_step_and_its_term_are_named(value: float) -> None:
    good, bad, worse = {"mse": 0.5, "tv": 1.0}, {"mse": 0.5, "tv": value}, {"mse": value, "tv": 1.0}
    with pytest.raises(RunError, match="the term tv became NaN or infinite at step 3"):
        feed([good, good, bad, worse, good])


def test_it_is_noticed_at_the_logging_step_already() -> None:
    steps = [{"mse": float("nan")}] + [{"mse": 1.0}] * 3
    with pytest.raises(RunError, match="at step 1"):
        feed(steps, every=2)
