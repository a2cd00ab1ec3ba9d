from pathlib import Path

import pytest
import torch

from colorizer.cli import main
from colorizer.color import luma
from colorizer.colorizer import Colorizer
from colorizer.data import Photos
from colorizer.evaluate import score
from colorizer.metrics import Fidelity
from colorizer.models import GrayCopy
from colorizer.representations import RGB
from colorizer.runs import open_run
from colorizer.tasks import Evaluation


def rows(printed: str) -> dict[str, list[str]]:
    """The last table on the terminal: name to cells."""
    lines = printed.splitlines()
    start = max(i for i, line in enumerate(lines) if line.startswith("run "))
    table = [line.split("  ") for line in lines[start + 2 :] if line]
    return {cells[0]: [cell.strip() for cell in cells[1:] if cell.strip()] for cells in table}


def test_a_score_is_the_metrics_over_the_split(photos: Photos) -> None:
    found = score(Evaluation(Colorizer(GrayCopy(3), RGB())), photos, "test", "gray")
    true = photos.split("test").images.float().div(255)
    gray = luma(true)
    expected = Fidelity()
    expected.update(gray.expand(-1, 3, -1, -1), true, gray)
    assert found == pytest.approx(
        {name: value.item() for name, value in expected.compute().items()}, rel=1e-5
    )


def test_a_run_scores_what_it_scored_in_training(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(trained), "model=gray_copy"]) == 0
    table = rows(capsys.readouterr().out)
    name = open_run(trained).name
    assert list(table) == ["gray_copy", "mean_chroma", "gray_lookup", name, "real images"]
    results = open_run(trained).results
    assert float(table[name][0]) == pytest.approx(results["test/mse"], abs=1e-5)
    assert float(table[name][2]) == pytest.approx(results["test/psnr"], abs=0.01)


def test_baselines_alone_and_the_validation_split(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "model=gray_copy,mean_chroma", "data=photos", "--split", "val"]) == 0
    printed = capsys.readouterr().out
    assert "192 val images" in printed
    assert list(rows(printed)) == ["gray_copy", "mean_chroma", "gray_lookup", "real images"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is not a run: there is no such folder"),
        (["model=unet", "data=photos"], "model=unet has to be trained first"),
        (["model=grey_copy"], "Did you mean 'gray_copy'?"),
        (["data=photos"], "nothing to evaluate"),
        (["RUN", "data.rot=x"], "only keys below 'data.' can be overridden"),
        (["RUN", "model=unet"], "has to be trained first"),
    ],
)
def test_mistakes(
    trained: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    status = main(["evaluate", *(str(trained) if a == "RUN" else a for a in arguments)])
    assert status == 2
    assert message in capsys.readouterr().err


def test_weights_of_another_network_are_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(trained, copy)
    text = (copy / "config.yaml").read_text()
    (copy / "config.yaml").write_text(text.replace("- 128", "- 64"))
    assert main(["evaluate", str(copy)]) == 2
    assert "best.ckpt holds another network" in capsys.readouterr().err


def test_a_model_is_anything_from_gray_to_rgb(photos: Photos) -> None:
    class Sepia(torch.nn.Module):
        def forward(self, gray: torch.Tensor) -> torch.Tensor:
            return (gray * torch.tensor([1.0, 0.9, 0.7]).view(1, 3, 1, 1)).clamp(0, 1)

    assert (score(Evaluation(Sepia()), photos, "test", "sepia")["colorfulness"] or 0) > 5
