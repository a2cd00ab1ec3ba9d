import pytest
import torch

from colorizer.color import luma
from colorizer.colorizer import Colorizer
from colorizer.config import compose_jobs, resolved
from colorizer.data import Batch
from colorizer.errors import UserError
from colorizer.models import UNet
from colorizer.representations import YCbCr
from colorizer.tasks import ColorizationTask, Evaluation
from colorizer.train import build_parts

LAST = "colorizer.network.last.weight"


def task(*overrides: str) -> ColorizationTask:
    (job,) = compose_jobs(["data=photos", *overrides])
    built = build_parts(resolved(job.config, "run"))[1]
    assert isinstance(built, ColorizationTask)
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
    loss, terms = module.losses(batch)
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
    colorizer = Colorizer(UNet(2, [4, 8]), YCbCr()).eval()
    batch = Batch(luma(rgb), rgb, torch.zeros(len(rgb)))
    found = []
    for enabled in (False, True):
        evaluation = Evaluation(colorizer)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled), torch.no_grad():
            evaluation.test_step(batch, 0)
            found.append({k: v.item() for k, v in evaluation.fidelity.compute().items()})
    assert found[0] == found[1]


def test_half_precision_output_becomes_float32_before_decoding(rgb: torch.Tensor) -> None:
    colorizer = Colorizer(UNet(2, [4, 8]), YCbCr()).eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = colorizer(luma(rgb))
    assert output.dtype == torch.float32
    inside = (output > 0).all(1) & (output < 1).all(1)
    assert (luma(output) - luma(rgb)).squeeze(1)[inside].abs().max() < 1e-5
