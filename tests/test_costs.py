import time
from pathlib import Path

import numpy as np
import pytest

from colorizer.costs import Meter, _Counter, _rapl, at_once, together


def test_a_meter_measures_this_process() -> None:
    meter = Meter()
    before = meter.read()
    block = np.ones(40_000_000)  # 320 MB
    begun = time.process_time()
    while time.process_time() - begun < 0.2:
        block[::1000].sum()
    after = meter.read()
    assert 0.2 <= after["cpu_seconds"] - before["cpu_seconds"] < 2
    assert after["memory_bytes"] - before["memory_bytes"] > 250e6
    assert (after["gpu_seconds"], after["gpu_memory_bytes"], after["images"]) == (0, 0, 0)
    del block
    if Path("/proc/self/clear_refs").exists():  # the peak of a job is not that of the one before
        assert Meter().read()["memory_bytes"] < after["memory_bytes"] - 250e6


def test_sittings_add_up_and_peaks_do_not() -> None:
    first = {"seconds": 10.0, "memory_bytes": 5, "images": 64, "cpu_joules": 7.0}
    second = {"seconds": 1.0, "memory_bytes": 9, "images": 32}
    # What a killed process has not told is none; an energy that one does not know nobody knows.
    assert together([first, {}, second]) == {"seconds": 11.0, "memory_bytes": 9, "images": 96}
    assert together([]) == {}
    assert at_once([first, second]) == {
        **{"seconds": 10.0, "memory_bytes": 14, "images": 96, "cpu_joules": 7.0}
    }


def test_energy_counters_of_the_kernel(tmp_path: Path) -> None:
    """Packages count, their parts do not; a counter begins again at its end."""
    for zone, name in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core")):
        (tmp_path / zone).mkdir()
        (tmp_path / zone / "name").write_text(f"{name}\n")
        (tmp_path / zone / "energy_uj").write_text("900\n")
        (tmp_path / zone / "max_energy_range_uj").write_text("1000\n")
    ((read, most),) = _rapl(tmp_path)
    counter = _Counter(read, most)
    spent = []
    for value in (950, 20, 30):
        (tmp_path / "intel-rapl:0" / "energy_uj").write_text(f"{value}\n")
        spent.append(counter.spent())
    assert spent == [50, 120, 130]


def test_no_counters_no_energy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorizer.costs.POWERCAP", tmp_path)
    assert not {"cpu_joules", "gpu_joules"} & Meter().read().keys()
