import math
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from colorizer.colorizer import Colorizer
from colorizer.interfaces import stride
from colorizer.models import (
    CNN,
    Autoencoder,
    Flow,
    Guide,
    Linear,
    PyramidNoise,
    ResidualUNet,
    UNet,
)
from colorizer.representations import HaarChroma, YCbCr

NETWORKS = {
    "linear": lambda channels: Linear(channels, image_size=32),
    "cnn": lambda channels: CNN(channels, width=8, depth=3, passthrough=False),
    "cnn_passthrough": lambda channels: CNN(channels, width=8, depth=3, passthrough=True),
    "autoencoder": lambda channels: Autoencoder(channels, [8, 16, 32]),
    "unet": lambda channels: UNet(channels, [8, 16, 32]),
    "residual_unet": lambda channels: ResidualUNet(channels, [8, 16], blocks=2, attention_heads=2),
}


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_and_that_everything_learns(name: str, channels: int) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name](channels)
    output = network(torch.rand(4, 1, 32, 32))
    side = 32 // stride(network)
    assert output.shape == (4, channels, side, side)
    output.square().mean().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().max() > 0, parameter_name


@pytest.mark.parametrize("name", ["cnn", "autoencoder", "unet", "residual_unet"])
def test_convolutional_networks_take_other_sizes(name: str) -> None:
    network = NETWORKS[name](2)
    coarser = stride(network)
    output = network(torch.rand(1, 1, 64, 48))
    assert output.shape == (1, 2, 64 // coarser, 48 // coarser)


@pytest.mark.parametrize("name", ["unet", "residual_unet"])
def test_features_of_the_pass_that_gives_the_output(name: str) -> None:
    network: Any = NETWORKS[name](2).eval()
    gray = torch.rand(3, 1, 32, 32)
    output, features = network(gray, with_features=True)
    assert torch.equal(output, network(gray))
    assert torch.equal(features, network.forward_features(gray))
    assert features.shape[:2] == (3, network.num_features)


@pytest.mark.parametrize("name", ["autoencoder", "unet", "residual_unet"])
def test_a_size_that_cannot_be_halved_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"30x32 cannot be halved 2 times.*multiples of 4"):
        NETWORKS[name](2)(torch.rand(1, 1, 30, 32))


def test_the_control_is_one_layer_of_3072_to_3072() -> None:
    layers = [module for module in Linear(3, 32).modules() if isinstance(module, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers] == [(3072, 3072)]


def test_the_control_refuses_another_size() -> None:
    with pytest.raises(ValueError, match=r"\(B, 1, 32, 32\)"):
        Linear(3, 32)(torch.rand(1, 1, 16, 16))


def test_passthrough_hands_the_input_to_the_last_layer() -> None:
    """With every hidden feature at zero, only the passthrough can still see the image."""
    gray = torch.rand(2, 1, 32, 32)
    for passthrough in (True, False):
        network = CNN(3, width=4, depth=3, passthrough=passthrough).eval()
        norm = network.hidden[-1][1]  # type: ignore[index]
        nn.init.zeros_(norm.weight)
        nn.init.zeros_(norm.bias)
        with torch.no_grad():
            difference = (network(gray) - network(gray.flip(-1))).abs().max()
        assert (difference > 0) == passthrough


@pytest.mark.parametrize(("network", "reaches"), [(UNet, True), (Autoencoder, False)])
def test_only_the_unet_has_a_way_around_the_code(network: type[nn.Module], reaches: bool) -> None:
    """With the coarse features silenced, only skip connections still carry the image."""
    net = network(2, [4, 4, 4]).eval()
    *_, coarsest = net.get_submodule("encoder").children()
    last = [module for module in coarsest.modules() if isinstance(module, nn.BatchNorm2d)][-1]
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    gray = torch.rand(1, 1, 32, 32)
    if isinstance(net, UNet):  # its gray input at the last layer is another way around
        nn.init.zeros_(net.last.weight[:, -1:])
    with torch.no_grad():
        assert bool((net(gray) != net(gray.flip(-1))).any()) == reaches


@pytest.mark.parametrize("network", [UNet, Autoencoder, partial(ResidualUNet, blocks=1)])
def test_one_resolution_is_refused(network: type[nn.Module]) -> None:
    with pytest.raises(ValueError, match="at least two resolutions"):
        network(3, [16])


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_dropout_is_of_training_alone(share: float) -> None:
    torch.manual_seed(0)
    network = ResidualUNet(2, [8, 16], blocks=2, dropout=share)
    gray = torch.rand(4, 1, 32, 32)
    assert network(gray).equal(network(gray)) == (share == 0)
    network.eval()
    assert network(gray).equal(network(gray))


def test_attention_reaches_across_the_image() -> None:
    """A convolution's output does not depend on what is far away; behind attention it does."""
    gray = torch.rand(1, 1, 128, 128)
    other = gray.clone()
    other[..., 100:] = torch.rand(1, 1, 128, 28)
    for heads, reaches in ((0, False), (2, True)):
        network = ResidualUNet(2, [4, 8], blocks=1, attention_heads=heads).eval()
        with torch.no_grad():
            difference = (network(gray) - network(other))[..., :8].abs().max()
        assert (difference > 0) == reaches


# --- the flow ---


class Straight(Flow):
    """Takes any noise to the image's gray level, in a straight line."""

    def velocity_at(
        self,
        gray: torch.Tensor,
        guide_output: torch.Tensor | None,
        state: torch.Tensor,
        time: torch.Tensor,
    ) -> torch.Tensor:
        goal = nn.functional.avg_pool2d(gray, 2).expand_as(state)
        return (goal - state) / (1 - time).view(-1, 1, 1, 1)


NAN = float("nan")


def small(out_channels: int, **kwargs: Any) -> ResidualUNet:
    return ResidualUNet(out_channels, **{"widths": [8, 16], "blocks": 1, **kwargs})


def flow(kind: type[Flow] = Flow, **changed: Any) -> Flow:
    noise = PyramidNoise([0.5, 0.5], channels=2, spread=0.5)
    arguments = {
        "velocity": small,
        "noise": noise,
        "steps": 4,
        "temperature": 1.0,
        "saturation": 1.0,
        **changed,
    }
    return kind(2, **arguments).eval()


def test_the_solver_integrates_the_velocity() -> None:
    gray = torch.rand(3, 1, 8, 8)
    goal = nn.functional.avg_pool2d(gray, 2).expand(-1, 2, -1, -1)
    torch.testing.assert_close(flow(Straight)(gray), goal)
    samples = flow(Straight).sample(gray, 2, torch.Generator().manual_seed(0))
    torch.testing.assert_close(samples, goal.expand(2, -1, -1, -1, -1))


class Curved(Flow):
    """Moves with dx/dt = x: noise grows by a factor of e."""

    def velocity_at(
        self,
        gray: torch.Tensor,
        guide_output: torch.Tensor | None,
        state: torch.Tensor,
        time: torch.Tensor,
    ) -> torch.Tensor:
        return state


def test_twice_the_steps_are_four_times_as_exact() -> None:
    gray, noise = torch.rand(1, 1, 8, 8).double(), torch.randn(1, 2, 4, 4).double()
    errors = [
        (flow(Curved, steps=steps).integrate(gray, noise) - noise * math.e).norm()
        for steps in (8, 16)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)


class Still(Flow):
    """Moves nothing."""

    def velocity_at(
        self,
        gray: torch.Tensor,
        guide_output: torch.Tensor | None,
        state: torch.Tensor,
        time: torch.Tensor,
    ) -> torch.Tensor:
        return torch.zeros_like(state)


class Tinted(nn.Module):
    """Brighter is redder and less blue; no colour has to be clamped."""

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        return torch.cat((0.1 - 0.2 * gray, 0.2 * gray), dim=1)


def test_a_flow_adds_to_its_guides_colours() -> None:
    torch.manual_seed(0)
    target = HaarChroma([0.1, 0.02, 0.02])
    colorizer = Colorizer(Tinted(), YCbCr())
    guide = Guide(colorizer.network, colorizer.representation, target)
    noise = PyramidNoise([1.0], channels=2, spread=0)
    network = Still(8, small, noise, 2, temperature=0, saturation=1, guide=guide).eval()
    gray = torch.rand(3, 1, 16, 16) / 2 + 0.25
    with torch.no_grad():
        guide_colours = colorizer(gray)
        torch.testing.assert_close(target.decode(gray, network(gray)), guide_colours)
        network.temperature = 0.5
        added = network(gray) - target.encode(guide_colours)
        assert added.std() == pytest.approx(0.5, rel=0.2)
        once = network(gray)
        network.saturation = 1.5
        torch.testing.assert_close(network(gray), 1.5 * once)


def test_a_guide_is_not_trained() -> None:
    guide = Guide(small(2), YCbCr(), HaarChroma([0.1, 0.02, 0.02]))
    network = Flow(8, small, PyramidNoise([1.0], 2, 0), 1, 1.0, 1.0, guide)
    network.train()
    assert network.velocity.training
    assert not any(module.training for module in guide.modules())
    trained = [name for name, p in network.named_parameters() if p.requires_grad]
    assert trained
    assert all(name.startswith("velocity.") for name in trained)
    deep = Guide(small(2, widths=[4, 4, 4, 4]), YCbCr(), HaarChroma([0.1, 0.02, 0.02]))
    assert Flow(8, small, PyramidNoise([1.0], 2, 0), 1, 1.0, 1.0, deep).multiple_of == 16


def test_the_best_guess_of_an_image_does_not_depend_on_the_others() -> None:
    torch.manual_seed(0)
    network, gray = flow(), torch.rand(4, 1, 16, 16)
    with torch.no_grad():
        together = network(gray)
        alone = torch.cat([network(one[None]) for one in gray])
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
        network.temperature = 0.0
        assert not torch.allclose(together, network(gray), atol=1e-3)


def test_samples_differ_and_their_seed_repeats_them() -> None:
    network, gray = flow(), torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        one, two = (network.sample(gray, 3, torch.Generator().manual_seed(5)) for _ in range(2))
    assert one.shape == (3, 2, 2, 8, 8)
    assert torch.equal(one, two)
    assert (one[0] - one[1]).abs().mean() > 0.01


def test_fewer_than_one_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="k=0: at least one sample"):
        flow().sample(torch.rand(1, 1, 8, 8), 0, torch.Generator())


def test_noise_has_its_variance_where_it_is_asked_for() -> None:
    noise = PyramidNoise([0.25, 0.0, 0.75], channels=2, spread=0)
    generator = torch.Generator().manual_seed(0)
    drawn = noise((4000, 3, 9, 8), generator, torch.device("cpu"))
    assert drawn.shape == (4000, 3, 9, 8)
    torch.testing.assert_close(drawn.std(0), torch.ones(3, 9, 8), atol=0.05, rtol=0)
    # Pixels of a patch of 4x4 share what is of a quarter of the resolution; others share nothing.
    there, near, far = drawn[:, :, 0, 0], drawn[:, :, 3, 3], drawn[:, :, 4, 0]
    correlations = [(there * other).mean(0) for other in (near, far)]
    torch.testing.assert_close(correlations[0], torch.tensor([0.75, 0.75, 0]), atol=0.05, rtol=0)
    torch.testing.assert_close(correlations[1], torch.zeros(3), atol=0.05, rtol=0)


def test_noise_is_of_different_strength_from_image_to_image() -> None:
    noise = PyramidNoise([1.0], channels=0, spread=0.4)
    drawn = noise((2000, 2, 50, 50), torch.Generator().manual_seed(0), torch.device("cpu"))
    strengths = drawn.std((1, 2, 3)).log()
    assert strengths.std() == pytest.approx(0.4, rel=0.05)
    assert drawn.square().mean() == pytest.approx(1, rel=0.1)
    # The noise of one image, as `forward` draws it, has one, too.
    alone = [
        noise((2, 50, 50), torch.Generator().manual_seed(s), torch.device("cpu")) for s in (1, 2)
    ]
    assert (alone[0].std() / alone[1].std()).log().abs() > 0.1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"shares": []}, "shares"),
        ({"shares": [0.5, 0.4]}, "shares"),
        ({"shares": [1.5, -0.5]}, "shares"),
        ({"shares": [NAN]}, "shares"),
        ({"channels": -1}, "channels=-1"),
        ({"spread": -1.0}, "spread=-1.0"),
        ({"spread": NAN}, "spread=nan"),
    ],
)
def test_noise_that_cannot_be(changed: dict[str, Any], message: str) -> None:
    arguments = {"shares": [1.0], "channels": 2, "spread": 0.5, **changed}
    with pytest.raises(ValueError, match=f"model.noise.{message}"):
        PyramidNoise(**arguments)


def test_a_flows_network_corrects_the_best_linear_guess() -> None:
    """Of independent noise and data of variance 1, which is nothing halfway."""
    network = flow()
    gray = torch.rand(3, 1, 8, 8)
    noise, data, time = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4), torch.rand(3)
    at = time.view(-1, 1, 1, 1)
    state = (1 - at) * noise + at * data
    slopes = (2 * time - 1) / (time**2 + (1 - time) ** 2)
    with torch.no_grad():
        correction = network.velocity(gray, state / (at**2 + (1 - at) ** 2).sqrt(), time)
        velocity = network.velocity_at(gray, None, state, time)
    torch.testing.assert_close(velocity - correction, slopes.view(-1, 1, 1, 1) * state)


def test_a_flows_network_sees_the_state_and_the_time() -> None:
    torch.manual_seed(0)
    network = small(out_channels=8, state_channels=8)
    gray, state, at = torch.rand(3, 1, 16, 16), torch.randn(3, 8, 8, 8), torch.rand(3)
    network(gray, state, at).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    network.eval()
    with torch.no_grad():
        output = network(gray, state, at)
        others = [
            network(gray, -state, at),
            network(gray, state, 1 - at),
            network(-gray, state, at),
        ]
    assert all((other - output).abs().mean() > 1e-3 for other in others)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("steps", 0),
        ("steps", 2.0),
        ("temperature", -0.5),
        ("temperature", NAN),
        ("saturation", 0.0),
    ],
)
def test_a_flow_that_cannot_be(key: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"model.{key}={value}"):
        flow(Straight, **{key: value})
