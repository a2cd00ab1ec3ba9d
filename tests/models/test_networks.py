import pytest
import torch
from torch import nn

from colorizer.models import CNN, Autoencoder, Linear, UNet

NETWORKS = {
    "linear": lambda channels: Linear(channels, image_size=32),
    "cnn": lambda channels: CNN(channels, width=8, depth=3, passthrough=False),
    "cnn_passthrough": lambda channels: CNN(channels, width=8, depth=3, passthrough=True),
    "autoencoder": lambda channels: Autoencoder(channels, [8, 16, 32]),
    "unet": lambda channels: UNet(channels, [8, 16, 32]),
}


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_and_that_everything_learns(name: str, channels: int) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name](channels)
    output = network(torch.rand(4, 1, 32, 32))
    assert output.shape == (4, channels, 32, 32)
    output.square().mean().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().max() > 0, parameter_name


@pytest.mark.parametrize("name", ["cnn", "autoencoder", "unet"])
def test_convolutional_networks_take_other_sizes(name: str) -> None:
    assert NETWORKS[name](2)(torch.rand(1, 1, 64, 48)).shape == (1, 2, 64, 48)


@pytest.mark.parametrize("name", ["autoencoder", "unet"])
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


@pytest.mark.parametrize("network", [UNet, Autoencoder])
def test_one_resolution_is_refused(network: type[nn.Module]) -> None:
    with pytest.raises(ValueError, match="at least two resolutions"):
        network(3, [16])
