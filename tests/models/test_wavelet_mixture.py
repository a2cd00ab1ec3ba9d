"""The mixture of wavelets: its density, its draws, and that a training sees what a draw sees."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from colorizer.haar import haar_join, haar_split
from colorizer.models import WaveletMixture
from colorizer.models.wavelet_mixture import Mixture


def network(**changes: object) -> WaveletMixture:
    torch.manual_seed(0)
    settings = {"widths": [8, 8, 16], "blocks": 1, "components": 3, "temperature": 0.0, **changes}
    return WaveletMixture(8, **settings).eval()  # type: ignore[arg-type]


def mixture(*sizes: int) -> Mixture:
    torch.manual_seed(0)
    batch, components, numbers, height, width = sizes
    place = (height, width)
    return Mixture(
        torch.randn(batch, components, *place),
        torch.randn(batch, components, numbers, *place),
        torch.randn(batch, components, numbers, *place) / 2 - 1,
        torch.randn(batch, components, numbers // 2, *place),
    )


def as_distribution(one: Mixture) -> MixtureSameFamily:
    """The same mixture in torch's words, for one image of one position."""
    logits, means, deviations, slopes = (part[0, ..., 0, 0] for part in one)
    factors = torch.diag_embed(deviations.exp())
    for pair in range(slopes.shape[1]):
        first, second = 2 * pair, 2 * pair + 1
        factors[:, second, first] = slopes[:, pair] * factors[:, first, first]
    return MixtureSameFamily(
        Categorical(logits=logits), MultivariateNormal(means, scale_tril=factors)
    )


def test_the_density_is_that_of_a_mixture_of_normal_distributions() -> None:
    one = mixture(1, 4, 6, 1, 1)
    values = torch.randn(50, 6)
    expected = as_distribution(one).log_prob(values)
    many = Mixture(*(part.expand(50, *part.shape[1:]) for part in one))
    found = many.log_density(values[..., None, None])[:, 0, 0]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_draws_have_the_mean_and_the_covariance_of_the_density() -> None:
    one = mixture(1, 3, 2, 1, 1)
    many = Mixture(*(part.expand(*part.shape[:-2], 300, 300) for part in one))
    drawn = many.draw(1.0, [torch.Generator().manual_seed(0)])[0].flatten(1)
    known = as_distribution(one).sample((90_000,)).T
    torch.testing.assert_close(drawn.mean(1), known.mean(1), atol=0.03, rtol=0)
    torch.testing.assert_close(drawn.cov(), known.cov(), atol=0.06, rtol=0)


def test_without_temperature_it_is_the_mean_of_the_likeliest_component() -> None:
    one = mixture(2, 3, 6, 4, 4)
    found = one.draw(0.0)
    likeliest = one.logits.argmax(1)
    for image, row, column in ((0, 1, 2), (1, 3, 0)):
        expected = one.means[image, likeliest[image, row, column], :, row, column]
        assert torch.equal(found[image, :, row, column], expected)


def test_the_transform_loses_nothing(rgb: Tensor) -> None:
    averages, details = haar_split(rgb)
    assert details.shape[1] == 9
    torch.testing.assert_close(averages, torch.nn.functional.avg_pool2d(rgb, 2))
    torch.testing.assert_close(haar_join(averages, details), rgb)


def test_a_level_sees_what_is_coarser_and_nothing_finer() -> None:
    """Changing the finest details changes their own likelihood alone."""
    net, gray, target = network(), torch.rand(2, 1, 16, 16), torch.randn(2, 8, 8, 8)
    other = target.clone()
    other[:, 2:] = torch.randn(2, 6, 8, 8)
    before, after = net(gray, target), net(gray, other)
    assert before.shape == (4,)
    assert torch.equal(before[:-1], after[:-1])
    assert before[-1] != after[-1]
    # A pixel's average is part of all coarser ones.
    other = target.clone()
    other[:, :2, 0, 0] += 1
    assert (net(gray, other) != before).all()


def test_draws_differ_and_are_the_same_for_a_seed() -> None:
    net, gray = network(), torch.rand(3, 1, 16, 24)
    two, again = (net.sample(gray, 2, torch.Generator().manual_seed(5)) for _ in range(2))
    assert two.shape == (2, 3, 8, 8, 12)
    assert torch.equal(two, again)
    assert not torch.equal(two[0], two[1])
    with pytest.raises(ValueError, match="k=0: at least one sample"):
        net.sample(gray, 0, torch.Generator())


def test_a_draw_is_as_likely_as_the_density_says() -> None:
    """The mean surprise at its own draws is the entropy; other values surprise it more."""
    net, gray = network(components=1), torch.rand(64, 1, 16, 16)
    with torch.no_grad():
        drawn = net.sample(gray, 1, torch.Generator().manual_seed(0))[0]
        found = net(gray, drawn)
        # At the start all deviations are about exp(-1), and what the features add is small.
        entropy = 0.5 * (1 + math.log(2 * math.pi)) - 1
        assert (found - entropy).abs().max() < 0.5
        assert (net(gray, drawn + 1) > found).all()


def test_a_guess_with_a_temperature_depends_on_the_image_alone() -> None:
    net, gray = network(temperature=0.7), torch.rand(3, 1, 16, 16)
    together = net(gray)
    alone = torch.cat([net(gray[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone)
    assert not torch.equal(together, network(temperature=0.0)(gray))


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"temperature": -1.0}, "temperature=-1.0"), ({"temperature": math.nan}, "temperature=nan")],
)
def test_temperatures_that_cannot_be(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network(**changes)


def test_another_representation_is_refused() -> None:
    with pytest.raises(ValueError, match="representation=haar_chroma"):
        WaveletMixture(3, [8, 8], 1, 2, 0.0)
