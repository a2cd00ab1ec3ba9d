from types import SimpleNamespace

import pytest
import torch

from colorizer.color import luma, rgb_to_chroma
from colorizer.colorizer import Colorizer, Sampling, StochasticColorizer, colorizer_of
from colorizer.config import compose_jobs, resolved
from colorizer.data import Batch, Photos
from colorizer.errors import UserError
from colorizer.models import Flow, Linear, ResidualUNet, UNet
from colorizer.representations import ChromaBins, YCbCr
from colorizer.tasks import BinClassification, Task
from colorizer.train import build_parts

LAST = "colorizer.network.last.weight"


def task(*overrides: str) -> Task:
    (job,) = compose_jobs(["data=photos", *overrides])
    built = build_parts(resolved(job.config, "run"))[1]
    assert isinstance(built, Task)
    return built


def test_forward_clamps_and_losses_see_what_was_before(rgb: torch.Tensor) -> None:
    class TooMuch(torch.nn.Module):
        def forward(self, gray: torch.Tensor) -> torch.Tensor:
            return gray.expand(-1, 2, -1, -1) * 3

    colorizer = Colorizer(TooMuch(), YCbCr())
    gray = luma(rgb)
    assert colorizer(gray).max() == 1
    assert colorizer(gray).min() == 0
    assert colorizer.decode(gray).max() > 1


@pytest.mark.parametrize("representation", ["rgb", "ycbcr"])
def test_the_loss_is_on_decoded_rgb(representation: str, rgb: torch.Tensor) -> None:
    module = task(f"representation={representation}").eval()
    batch = Batch(luma(rgb), rgb, torch.zeros(len(rgb)))
    loss, terms, _ = module.losses(batch)
    expected = (module.colorizer.decode(batch.gray) - rgb).square().mean()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(terms["mse"], expected)


def test_the_same_seed_builds_the_same_network() -> None:
    one, two, other = task("seed=0"), task("seed=0"), task("seed=1")
    pairs = list(zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert all(torch.equal(*pair) for pair in pairs)
    assert not torch.equal(*(dict(t.named_parameters())[LAST] for t in (one, other)))


def test_a_baseline_is_not_trained() -> None:
    with pytest.raises(UserError, match="GrayCopy is a baseline: it has nothing to train"):
        task("model=gray_copy")


def test_scores_are_the_same_in_mixed_precision(rgb: torch.Tensor) -> None:
    module = task("model=unet", "model.widths=[4,8]").eval()
    batch = Batch(luma(rgb), rgb, torch.zeros(len(rgb)))
    found = []
    for enabled in (False, True):
        module.metrics.reset()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled), torch.no_grad():
            module.test_step(batch, 0)
            found.append(module.metrics.compute())
    assert found[0] == found[1]


def test_half_precision_output_becomes_float32_before_decoding(rgb: torch.Tensor) -> None:
    colorizer = Colorizer(UNet(2, [4, 8]), YCbCr()).eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = colorizer(luma(rgb))
    assert output.dtype == torch.float32
    inside = (output > 0).all(1) & (output < 1).all(1)
    assert (luma(output) - luma(rgb)).squeeze(1)[inside].abs().max() < 1e-5


# --- any size, and several answers ---


@pytest.mark.parametrize("network", [UNet(2, [4, 8, 16]), ResidualUNet(2, [4, 8], blocks=1)])
def test_any_size_is_taken(network: torch.nn.Module) -> None:
    colorizer = Colorizer(network, YCbCr()).eval()
    gray = torch.rand(2, 1, 37, 50)
    with torch.no_grad():
        assert colorizer(gray).shape == (2, 3, 37, 50)
        # A size that needs no padding is left as it is.
        whole = gray[..., :32, :48]
        expected = YCbCr().decode(whole, network(whole)).clamp(0, 1)
        torch.testing.assert_close(colorizer(whole), expected)


class Strided(torch.nn.Module):
    """Chroma at a quarter of the size."""

    def __init__(self, **says: int) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(1, 2, 3, stride=4, padding=1)
        for name, value in says.items():
            setattr(self, name, value)

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.layer(gray)
        return output


def test_an_output_that_fits_no_declared_stride_is_refused() -> None:
    """It would be stretched: 8 times 4 pixels are no 30."""
    small, multiple = torch.rand(1, 1, 30, 30), torch.rand(1, 1, 32, 32)
    for says, gray in (({}, small), ({}, multiple), ({"stride": 2}, multiple)):
        with pytest.raises(ValueError, match=r"Strided gives 8x8 for images of .*stride is [12]:"):
            Colorizer(Strided(**says), YCbCr())(gray)
    with pytest.raises(ValueError, match=r"8x8 for images of 30x30, and its stride is 4"):
        Colorizer(Strided(stride=4), YCbCr())(small)
    assert Colorizer(Strided(stride=4), YCbCr())(multiple).shape == (1, 3, 32, 32)
    assert Colorizer(Strided(stride=4, multiple_of=4), YCbCr())(small).shape == (1, 3, 30, 30)


def test_a_size_that_cannot_be_taken_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(B, 1, 32, 32\)"):
        Colorizer(Linear(3, 32), YCbCr())(torch.rand(1, 1, 48, 48))


def test_an_image_in_colour_is_refused(rgb: torch.Tensor) -> None:
    made = Colorizer(UNet(2, [4, 8]), YCbCr())
    with pytest.raises(ValueError, match=r"gray images are \(B, 1, H, W\), and these are"):
        made(rgb)
    with pytest.raises(ValueError, match=r"real numbers in \[0, 1\], and these are torch\.uint8"):
        made((255 * luma(rgb)).byte())


def test_what_can_draw_becomes_a_stochastic_colorizer() -> None:
    torch.manual_seed(0)
    bins = ChromaBins(0.1, 0.38)
    colorizer = colorizer_of(ResidualUNet(bins.channels, [4, 8], blocks=1), bins).eval()
    assert isinstance(colorizer, StochasticColorizer)
    assert isinstance(colorizer, Sampling)
    assert not isinstance(colorizer_of(UNet(2, [4, 8]), YCbCr()), Sampling)
    gray = torch.rand(2, 1, 21, 32)
    with torch.no_grad():
        one, two = (colorizer.sample(gray, 3, torch.Generator().manual_seed(1)) for _ in range(2))
        other = colorizer.sample(gray, 3, torch.Generator().manual_seed(2))
    assert one.shape == (3, 2, 3, 21, 32)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert one.min() >= 0
    assert one.max() <= 1
    with pytest.raises(ValueError, match="at least one sample"):
        colorizer.sample(gray, 0, torch.Generator())


# --- bins and flows ---


def test_the_cross_entropy_of_bins(photos: Photos, rgb: torch.Tensor) -> None:
    module = task(
        "task=bin_classification", "model=residual_unet", "representation.step=0.1"
    ).eval()
    assert isinstance(module, BinClassification)
    batch = Batch(luma(rgb), rgb, torch.zeros(len(rgb)))
    module.class_weights = torch.rand(module.bins.channels)
    with torch.no_grad():
        loss, terms, _ = module.losses(batch)
        logits = module.colorizer.network(batch.gray)
    chroma = torch.nn.functional.avg_pool2d(rgb_to_chroma(rgb), 2).movedim(1, -1).reshape(-1, 2)
    nearest = torch.cdist(chroma, module.bins.centers(chroma.device)).topk(5, largest=False)
    code = torch.exp(-(nearest.values**2) / (2 * 0.05**2))
    code = code / code.sum(1, keepdim=True)
    likely = logits.movedim(1, -1).flatten(0, 2).log_softmax(1).gather(1, nearest.indices)
    each = -(code * likely).sum(1)
    torch.testing.assert_close(terms["cross_entropy"], each.mean(), rtol=1e-3, atol=1e-4)
    weighted = (module.class_weights[nearest.indices[:, 0]] * each).mean()
    torch.testing.assert_close(loss, weighted, rtol=1e-2, atol=1e-3)


def test_rare_colours_weigh_more_and_the_mean_weight_is_one(photos: Photos) -> None:
    module = task("task=bin_classification", "model=residual_unet")
    assert isinstance(module, BinClassification)
    module._trainer = SimpleNamespace(datamodule=photos)  # type: ignore[assignment]
    soft, hard = module.shares(photos)
    assert soft.sum().item() == pytest.approx(1)
    gray = int((module.bins.centers(torch.device("cpu")).abs().amax(1) < 0.01).nonzero().item())
    assert soft[gray] > 0.02
    chroma = rgb_to_chroma(photos.split("train").images.float() / 255)
    nearest = module.bins.neighbours(torch.nn.functional.avg_pool2d(chroma, 2))[0][:, 0]
    assert (nearest == gray).double().mean().item() == pytest.approx(hard[gray].item())
    for uniform in (0.5, 1.0):
        module.uniform = uniform
        module.on_fit_start()
        weights = module.class_weights
        # Of the pixels that are trained on, whose mean is what the loss is.
        assert weights[nearest].mean().item() == pytest.approx(1, rel=1e-4)
        if uniform == 1:
            torch.testing.assert_close(weights, torch.ones_like(weights))
        else:
            assert (weights[soft.argsort()].diff() <= 1e-6).all()
            assert weights[gray] < 1 < weights.max()


def test_the_velocity_is_scored_alike_in_every_epoch(rgb: torch.Tensor) -> None:
    module = task("task=flow_matching").eval()
    batch = Batch(luma(rgb), rgb, torch.zeros(len(rgb)))
    with torch.no_grad():
        assert module.validated(batch, 3) == module.validated(batch, 3)
        assert module.validated(batch, 3) != module.validated(batch, 4)
        assert module.losses(batch)[0] != module.losses(batch)[0]


def test_the_likelihood_of_colours_is_that_of_their_chroma(rgb: torch.Tensor) -> None:
    """Scored alike in every epoch; real colours are likelier than those of other images."""
    module = task("task=likelihood").eval()
    batch = Batch(luma(rgb), rgb, torch.zeros(len(rgb)))
    with torch.no_grad():
        assert module.validated(batch, 3) == module.validated(batch, 3)
        assert module.validated(batch, 3) != module.validated(batch, 4)
        noise = torch.rand(rgb.shape, generator=torch.Generator().manual_seed(3)) - 0.5
        target = module.colorizer.representation.encode(rgb + noise / 255)
        levels = module.colorizer.network(batch.gray, target)
        assert levels.shape == (6,)
        assert module.validated(batch, 3) == pytest.approx(levels.mean().item())
        assert (module.colorizer.network(batch.gray, 3 * target) > levels).all()


def test_decoding_is_exact_in_mixed_precision(rgb: torch.Tensor) -> None:
    """Of logits that are the same, whatever the network was computed in."""

    class Fixed(torch.nn.Module):
        stride = 2

        def forward(self, gray: torch.Tensor) -> torch.Tensor:
            return logits

    bins = ChromaBins(0.05, 0.38)
    logits = torch.randn(len(rgb), bins.channels, 16, 16).bfloat16()
    colorizer = colorizer_of(Fixed(), bins)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = colorizer(luma(rgb))
    torch.testing.assert_close(mixed, colorizer(luma(rgb)), atol=1e-6, rtol=0)


class Nothing(torch.nn.Module):
    """A network whose output does not depend on the precision."""

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(gray.expand(-1, 2, -1, -1))


def test_losses_are_exact_in_mixed_precision(rgb: torch.Tensor) -> None:
    """Of terms that are made of convolutions, too."""
    module = task("loss=gradient")
    module.colorizer.network = Nothing()
    batch, losses = Batch(luma(rgb), rgb, torch.zeros(len(rgb))), []
    for enabled in (True, False):
        torch.manual_seed(0)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            losses.append(module.losses(batch)[0])
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-5, atol=0)


def test_a_flow_that_knows_the_way_has_no_error(
    rgb: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the image is always the same, the velocity is known: from the noise to that image."""
    module = task("task=flow_matching")
    flow = module.colorizer.network
    assert isinstance(flow, Flow)
    flat = rgb[:1, :, :1, :1].expand(4, -1, 32, 32)
    goal = module.colorizer.representation.encode(flat)

    def straight(correction: None, state: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        return (goal - state) / (1 - time).view(-1, 1, 1, 1)

    monkeypatch.setattr(flow, "corrected", straight)
    batch = Batch(luma(flat), flat, torch.zeros(4))
    assert module.losses(batch)[0] < 1e-6
    decoded = module.colorizer(batch.gray)
    torch.testing.assert_close(decoded, flat, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["task=bin_classification", "representation=rgb"], "representation=chroma_bins"),
        (["task=bin_classification", "task.uniform=0"], "task.uniform=0"),
        (["task=flow_matching", "model=cnn"], "CNN is no flow: model=flow"),
        (["model=flow"], "Flow draws: task=flow_matching trains model=flow"),
        (["task=likelihood", "model=flow"], "Flow has no density of chroma: model=wavelet_mixture"),
        (
            ["task=likelihood", "representation=ycbcr"],
            "wavelet_mixture draws representation=haar_chroma",
        ),
        (["task=flow_matching", "model=wavelet_mixture"], "is no flow: model=flow"),
        (["task=adversarial", "task.penalized=0"], "task.penalized=0"),
        (["task=likelihood", "model.temperature=-1"], "model.temperature=-1"),
        (["task=likelihood", "model.components=0"], "model.components=0"),
        (["task=bin_classification", "model=flow"], "Flow draws: task=flow_matching"),
        (["task=flow_matching", "representation=rgb"], "RGB: representation=haar_chroma"),
        (["task=flow_matching", "representation=ycbcr"], "does not draw YCbCr"),
        (["task=flow_matching", "model.velocity.attention_heads=-4"], "attention_heads=-4"),
        (
            ["task=flow_matching", "task.guide=NAME"],
            "task.guide=NAME: a Colorizer by its _target_",
        ),
    ],
)
def test_parts_that_do_not_go_together(overrides: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        task(*overrides)
