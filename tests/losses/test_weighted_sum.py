import pytest
import torch

from colorizer.losses import L1, MSE, WeightedSum


def test_the_sum_is_weighted_and_the_terms_are_not(rgb: torch.Tensor) -> None:
    loss = WeightedSum({"mse": MSE(), "l1": L1()}, {"mse": 2.0, "l1": 0.5})
    total, terms = loss(rgb.flip(0), rgb)
    torch.testing.assert_close(total, 2 * terms["mse"] + 0.5 * terms["l1"])
    torch.testing.assert_close(terms["mse"], MSE()(rgb.flip(0), rgb))


def test_a_term_of_weight_zero_is_not_computed(rgb: torch.Tensor) -> None:
    loss = WeightedSum({"mse": MSE(), "l1": L1()}, {"mse": 1.0, "l1": 0.0})
    assert list(loss(rgb, rgb)[1]) == ["mse"]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"mse": 1.0, "l2": 1.0}, r"loss.weights.l2: no such term; this loss has mse, l1"),
        ({"mse": 1.0}, "loss.weights.l1 is missing"),
        ({"mse": 1.0, "l1": -1.0}, "loss.weights.l1=-1.0: at least 0"),
        ({"mse": 0.0, "l1": 0.0}, "at least one above 0"),
    ],
)
def test_wrong_weights_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WeightedSum({"mse": MSE(), "l1": L1()}, weights)
