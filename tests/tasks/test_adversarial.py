"""Adversarial training: who learns from what, and that the critic can tell."""

import pytest
import torch
from torch import Tensor

from colorizer.color import luma
from colorizer.config import compose_jobs
from colorizer.data import Batch
from colorizer.models import WaveletMixture
from colorizer.tasks import Adversarial
from colorizer.tasks.critic import Critic
from tests.tasks.test_tasks import task as make_task


def adversarial() -> Adversarial:
    torch.manual_seed(0)
    built = make_task("task=adversarial", "model.widths=[8,8,16]", "model.temperatures=null")
    assert isinstance(built, Adversarial)
    return built


@pytest.fixture(scope="module")
def task() -> Adversarial:
    return adversarial()


@pytest.fixture
def batch(rgb: Tensor) -> Batch:
    return Batch(luma(rgb), rgb, torch.zeros(len(rgb), dtype=torch.long))


def test_each_learns_from_its_own_loss(task: Adversarial, batch: Batch) -> None:
    def learns(loss: Tensor, module: torch.nn.Module) -> bool:
        slopes = torch.autograd.grad(
            loss, list(module.parameters()), retain_graph=True, allow_unused=True
        )
        return any(slope is not None and bool(slope.abs().max() > 0) for slope in slopes)

    for weight in task.critic.parameters():  # at the start no block has a part in the score
        torch.nn.init.normal_(weight, std=0.1)
    total, terms, _ = task.losses(batch)
    assert learns(terms["fooling"], task.network)
    assert not learns(terms["fooling"], task.critic)
    for name in ("telling", "steepness"):
        assert learns(terms[name], task.critic)
        assert not learns(terms[name], task.network)
    parts = terms["nll"] + task.weight * terms["fooling"] + terms["telling"]
    expected = parts + task.penalty / 2 * terms["steepness"]
    torch.testing.assert_close(total, expected)


def test_the_steepness_of_a_linear_critic_is_that_of_its_weights(batch: Batch) -> None:
    task = adversarial()
    weights = torch.randn(8, 16, 16, generator=torch.Generator().manual_seed(0))

    class Linear(torch.nn.Module):
        def forward(self, gray: Tensor, output: Tensor) -> Tensor:
            return (output * weights).sum((1, 2, 3)) + gray.sum((1, 2, 3))

    task.critic = Linear()  # type: ignore[assignment]
    output = torch.randn(len(batch.gray), 8, 16, 16)
    found = task._steepness(batch.gray, output, 2 * output)
    torch.testing.assert_close(found, 2 * weights.square().sum())


def test_a_critic_tells_the_colours_of_another_image(task: Adversarial, batch: Batch) -> None:
    torch.manual_seed(0)
    critic = Critic(8, [16, 32])
    optimizer = torch.optim.Adam(critic.parameters(), 3e-3)
    true = task.true_output(batch)
    wrong = true.roll(1, dims=0)
    for _ in range(150):
        optimizer.zero_grad()
        real, fake = critic(batch.gray, true), critic(batch.gray, wrong)
        torch.nn.functional.softplus(fake - real).mean().backward()
        optimizer.step()
    assert (critic(batch.gray, true) > critic(batch.gray, wrong)).float().mean() > 0.9


def test_what_it_draws_is_what_the_network_samples(task: Adversarial, batch: Batch) -> None:
    network = task.network
    assert isinstance(network, WaveletMixture)
    network.eval()
    target = task.true_output(batch)
    torch.manual_seed(5)
    with torch.no_grad():
        _, drawn, features = network.learn_and_draw(batch.gray, target)
        assert torch.equal(features, network.forward_features(batch.gray))
        (sample,) = network.sample(batch.gray, 1, torch.Generator().manual_seed(5))
    network.train()
    assert drawn.shape == (len(batch.gray), 8, 16, 16)
    assert torch.equal(drawn, sample)


def test_the_last_weights_are_kept(task: Adversarial, batch: Batch) -> None:
    assert task.better()["step"] == "max"
    (job,) = compose_jobs(["task=adversarial"])
    assert job.config.monitor == "val/step"
