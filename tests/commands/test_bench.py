import json
from pathlib import Path

import pytest

from colorizer import benchmark
from colorizer.cli import main


@pytest.mark.slow  # 35 s
def test_it_prints_ratios_and_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark, "EPOCHS", {"unet": 256, "linear": 256})
    monkeypatch.setattr(benchmark, "DATA_IMAGES", 1280)
    monkeypatch.setenv("COLORIZER_DATA", str(tmp_path))
    output = tmp_path / "deep" / "bench.json"
    assert main(["bench", "--repetitions", "2", "-o", str(output)]) == 0
    found = json.loads(output.read_text())
    assert found["images"] == "synthetic images"
    assert set(found["train_overhead_ratio"]) == {"unet", "linear"}
    assert found["data_speedup"] > 1.5
    assert "synthetic images; medians of 2" in capsys.readouterr().out


def test_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--repetitions", "0"]) == 2
    assert "at least 1" in capsys.readouterr().err
