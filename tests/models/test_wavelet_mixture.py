"""The mixture of wavelets: its density, its draws, and that a training sees what a draw sees."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from colorizer.haar import haar_join, haar_split
from colorizer.models import Guide, ResidualUNet, WaveletMixture
from colorizer.models.detail_mixture import DetailMixture
from colorizer.models.mixture import Mixture
from colorizer.representations import HaarChroma, YCbCr

# The phase of each position, repeated.
ORDER = torch.tensor([[0, 2], [3, 1]])


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


@pytest.mark.parametrize("phase", range(4))
def test_details_see_those_of_earlier_phases_alone(phase: int) -> None:
    """A network that copies what it knows of its neighbours knows the earlier phases, whole."""
    level, features, details = DetailMixture(8, 3).eval(), torch.zeros(1, 8, 4, 6), torch.ones(6)
    order, known = ORDER.repeat(2, 3), []
    details = details[:, None, None].expand(1, 6, 4, 6)
    level.register_forward_pre_hook(lambda _, inputs: known.append(inputs[2][0, 0]))
    level.surprise(features, details)
    assert torch.equal(known[phase], order < phase)
    level.draw(features, 1.0, [torch.Generator().manual_seed(0)])
    assert torch.equal(known[4 + phase], order < phase)


def test_positions_beyond_the_first_share_the_randomness_of_the_coarsest_draws() -> None:
    """So a larger picture has one mean colour, as one of the size of the training images."""
    one = mixture(1, 3, 6, 1, 1)
    wide = Mixture(*(part.expand(*part.shape[:-2], 2, 3) for part in one))
    alone, shared, own = (
        given.draw(1.0, [torch.Generator().manual_seed(0)], shared=same)
        for given, same in ((one, False), (wide, True), (wide, False))
    )
    assert torch.equal(shared, alone.expand_as(shared))
    assert len(own[0, 0].unique()) == 6
    net = network()
    assert [level.at_once for level in net.details] == [True, False, False]


def test_what_is_not_drawn_yet_changes_nothing() -> None:
    torch.manual_seed(0)
    level, features = DetailMixture(8, 3).eval(), torch.randn(1, 8, 4, 4)
    first, second = torch.randn(2, 1, 6, 4, 4)
    for phase in range(4):
        known = ORDER.repeat(2, 2)[None, None] < phase
        mixed = torch.where(known, first, second)
        before, after = level(features, first, known), level(features, mixed, known)
        assert torch.equal(before.means, after.means)


def test_in_training_a_random_phase_stands_for_all() -> None:
    """A level that looks at nothing has the same surprise, whatever the phase."""
    level, features = DetailMixture(8, 1), torch.zeros(4, 8, 8, 8)
    torch.nn.init.zeros_(level.head.last.weight)
    details = torch.zeros(4, 6, 8, 8)
    with torch.no_grad():
        whole = level.eval().surprise(features, details)
        torch.testing.assert_close(level.train().surprise(features, details), whole)


def test_it_adds_to_its_guides_colours_and_starts_from_its_encoder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    target = HaarChroma([0.1, 0.02, 0.02])
    trained = ResidualUNet(2, [8, 8], 1)
    net = network(guide=Guide(trained, YCbCr(), target))
    gray, drawn = torch.rand(2, 1, 16, 16), torch.randn(2, 8, 8, 8)
    with torch.no_grad():
        added = net.guide(gray)  # type: ignore[misc]
        monkeypatch.setattr(net, "_draw", lambda *_: torch.zeros(2, 8, 8, 8))
        torch.testing.assert_close(net(gray), added)
        torch.testing.assert_close(net.sample(gray, 1, torch.Generator())[0], added)
        # As likely as what is left of it without the guide.
        alone = net(gray, drawn)
        encode, net.guide = net._encode, None
        monkeypatch.setattr(net, "_encode", lambda gray, _: encode(gray, added))
        torch.testing.assert_close(net(gray, drawn - added), alone)
    net = network(guide=Guide(trained, YCbCr(), target))
    net.start_from_guide()
    assert torch.equal(net.forward_features(gray), net._encode(gray, added)[-1])
    # The guide's output is not seen yet, and two levels are the guide's.
    for mine, theirs in zip(net._encode(gray, drawn), trained._encode(gray), strict=False):
        torch.testing.assert_close(mine, theirs)


def test_without_a_guide_it_starts_from_none() -> None:
    with pytest.raises(ValueError, match="no guide with a residual encoder to start from"):
        network().start_from_guide()


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


def test_samples_have_a_temperature_at_each_step() -> None:
    gray, seed = torch.rand(2, 1, 16, 16), torch.Generator().manual_seed
    cold = network(temperatures=[0.0] * 4)
    with torch.no_grad():
        torch.testing.assert_close(cold.sample(gray, 1, seed(0))[0], network()(gray))
        coarse = network(temperatures=[1.0, 0.0, 0.0, 0.0])
        warm, other = coarse.sample(gray, 2, seed(0))
        # The mean colour differs; the details are the likeliest for it.
        assert not torch.equal(warm, other)
        again = network(temperature=1.0, temperatures=[0.0] * 4)
        torch.testing.assert_close(again(gray), network()(gray))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": -1.0}, "temperature=-1.0"),
        ({"temperature": math.nan}, "temperature=nan"),
        ({"temperatures": [1.0] * 3}, "4 numbers, one more than model.widths has"),
        ({"temperatures": [1.0, 1.0, 1.0, -0.5]}, "4 numbers, one more than model.widths has"),
    ],
)
def test_temperatures_that_cannot_be(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network(**changes)


def test_another_representation_is_refused() -> None:
    with pytest.raises(ValueError, match="representation=haar_chroma"):
        WaveletMixture(3, [8, 8], 1, 2, 0.0)
