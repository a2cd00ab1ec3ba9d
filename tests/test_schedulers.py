import pytest
import torch

from colorizer.schedulers import constant, cosine


def rates(schedule: object, steps: int, **kwargs: float) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    scheduler = schedule(optimizer, total_steps=steps, **kwargs)  # type: ignore[operator]
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return [*found, optimizer.param_groups[0]["lr"]]


def test_constant_stays() -> None:
    assert set(rates(constant, 5)) == {2.0}


def test_cosine_falls_to_zero_by_half_at_the_middle() -> None:
    found = rates(cosine, 10)
    assert found[0] == 2.0
    assert found[5] == pytest.approx(1.0)
    assert found[10] == pytest.approx(0.0)
    assert found == sorted(found, reverse=True)


def test_warm_up_rises_linearly() -> None:
    found = rates(cosine, 20, warmup=0.2)
    assert found[:5] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert found[20] == pytest.approx(0.0)


def test_all_warm_up_is_refused() -> None:
    with pytest.raises(ValueError, match="scheduler.warmup=1"):
        rates(cosine, 5, warmup=1)
