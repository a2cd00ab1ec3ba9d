"""What a computation costs: time of processors and GPUs, memory, images, energy."""

import contextlib
import re
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import torch

# Of several sittings, or processes one after the other, the largest counts; all else adds up.
PEAKS = ("memory_bytes", "gpu_memory_bytes")

# Where Linux has the energy counters of processor packages, in microjoules (RAPL).
POWERCAP = Path("/sys/class/powercap")


class Meter:
    """Measures what this process costs, from when the meter is made.

    Its numbers:

    - `seconds`: by the clock
    - `cpu_seconds`: of all its threads, and of the processes that it has waited for
    - `gpu_seconds`: by the clock, of its GPUs together; 0 without
    - `memory_bytes`, `gpu_memory_bytes`: the peak of its resident memory, and of what PyTorch had
      allocated on its GPU
    - `images`: that training steps have seen
    - `cpu_joules`: of the machine's processors, with what others do there (RAPL)
    - `gpu_joules`: of its GPU (NVML)

    Energies are left out where the machine does not tell.
    """

    def __init__(self) -> None:
        self.images = 0
        self._start = time.monotonic()
        self._cpu = _cpu_seconds()
        self._gpu: torch.device | None = None
        self._counters = [_Counter(read, most) for read, most in _rapl(POWERCAP)]
        self._gpu_counter: _Counter | None = None
        # Else the peak would be that of an earlier job in this process.
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")

    def watch_gpu(self, device: torch.device) -> None:
        """Also measure a CUDA device."""
        self._gpu = device
        torch.cuda.reset_peak_memory_stats(device)
        self._gpu_counter = _nvml(device)

    def leave_processors_out(self) -> None:
        """Leave the energy of the machine's processors to another process on it."""
        self._counters = []

    def read(self) -> dict[str, float]:
        """The numbers so far."""
        seconds = time.monotonic() - self._start
        found = {
            "seconds": round(seconds, 3),
            "cpu_seconds": round(_cpu_seconds() - self._cpu, 3),
            "gpu_seconds": round(seconds, 3) if self._gpu else 0.0,
            "memory_bytes": _peak_memory(),
            "gpu_memory_bytes": torch.cuda.max_memory_allocated(self._gpu) if self._gpu else 0,
            "images": self.images,
        }
        if self._counters:
            found["cpu_joules"] = round(sum(c.spent() for c in self._counters) / 1e6, 3)
        if self._gpu_counter:
            found["gpu_joules"] = round(self._gpu_counter.spent() / 1e3, 3)
        return found


def together(costs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The cost of sittings one after the other: peaks are the largest, all else adds up.

    An energy that one of them does not tell is left out.
    """
    known = [cost for cost in costs if cost]
    names = [name for name in (known[0] if known else ()) if all(name in cost for cost in known)]
    return {name: (max if name in PEAKS else sum)(cost[name] for cost in known) for name in names}


def at_once(costs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The cost of processes that run at the same time: the clock's seconds are the longest."""
    known = list(costs)
    found = {name: sum(cost.get(name, 0) for cost in known) for name in known[0]}
    return {**found, "seconds": max(cost["seconds"] for cost in known)}


class _Counter:
    """What a counter that begins again at its end has counted since it was made.

    Args:
        read: the counter's value.
        most: after which it begins again; 0: it does not.
    """

    def __init__(self, read: Callable[[], int], most: int = 0) -> None:
        self._read = read
        self._most = most
        self._last = read()
        self._sum = 0

    def spent(self) -> int:
        """The sum; asked for more often than the counter begins again."""
        now = self._read()
        self._sum += now - self._last + (self._most if now < self._last else 0)
        self._last = now
        return self._sum


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_memory() -> int:
    with contextlib.suppress(OSError):
        status = Path("/proc/self/status").read_text()
        if peak := re.search(r"^VmHWM:\s*(\d+) kB", status, re.M):
            return int(peak[1]) * 1024
    peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_rss if sys.platform == "darwin" else peak_rss * 1024


def _rapl(folder: Path) -> list[tuple[Callable[[], int], int]]:
    """Readers of the counters of the processor packages, and where these begin again."""
    found: list[tuple[Callable[[], int], int]] = []
    for zone in sorted(folder.glob("*-rapl:*")):
        counter = zone / "energy_uj"
        # intel-rapl:0 is a package, intel-rapl:0:0 a part of it, psys all of the machine.
        try:
            if zone.name.count(":") == 1 and (zone / "name").read_text().startswith("package"):
                _number_in(counter)  # often root's alone
                most = _number_in(zone / "max_energy_range_uj")
                found.append((partial(_number_in, counter), most))
        except (OSError, ValueError):
            continue
    return found


def _number_in(file: Path) -> int:
    return int(file.read_text())


def _nvml(device: torch.device) -> _Counter | None:
    """The counter of a GPU, in millijoules; None where there is none."""
    try:
        import pynvml

        pynvml.nvmlInit()
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        return _Counter(lambda: int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)))
    except Exception:  # no library, no driver, a GPU or a part of one that does not count
        return None
