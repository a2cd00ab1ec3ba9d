"""What this machine is doing: processors, memory, GPUs, and the processes of runs."""

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import psutil
import pynvml

from colorizer.processes import process_lives
from colorizer.runs import Run

GIB = 2**30


@dataclass(frozen=True)
class Gpu:
    """A GPU at a moment: percent of the time that it works, and its memory in GiB."""

    name: str
    busy: float
    used: float
    total: float


@dataclass(frozen=True)
class Sample:
    """The machine at a moment.

    Args:
        time: seconds since 1970.
        cpu: percent of all cores.
        used, total: memory in GiB.
        gpus: those that NVIDIA's driver knows.
    """

    time: float
    cpu: float
    used: float
    total: float
    gpus: list[Gpu] = field(default_factory=list)


class System:
    """Samples of the machine, taken in a thread of its own while the page is served.

    Args:
        every: seconds between two.
        keep: how many.
    """

    def __init__(self, every: float = 2, keep: int = 900) -> None:
        self.every = every
        self.samples: deque[Sample] = deque(maxlen=keep)
        self._processes: dict[int, psutil.Process] = {}
        self._stop = threading.Event()
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlInit()
        psutil.cpu_percent()  # the first says nothing

    def start(self) -> None:
        """Take samples until `stop`."""
        threading.Thread(target=self._go_on, name="system", daemon=True).start()

    def stop(self) -> None:
        """Take no more."""
        self._stop.set()

    def _go_on(self) -> None:
        while not self._stop.wait(self.every):
            self.samples.append(self.sample())

    def sample(self) -> Sample:
        """The machine now; processors since the last sample."""
        memory = psutil.virtual_memory()
        used = (memory.total - memory.available) / GIB
        return Sample(time.time(), psutil.cpu_percent(), used, memory.total / GIB, gpus())

    def processes(self, runs: Iterable[Run]) -> dict[str, tuple[float, float]]:
        """Folder to percent of a core and GiB of memory, of the runs that this machine trains.

        With the processes that they have started; percent since the last call.
        """
        found = {}
        for run in runs:
            pid, host = run.status.get("pid"), run.status.get("host")
            if run.state != "running" or not pid or host != socket.gethostname():
                continue
            if not process_lives(int(pid), run.status.get("process")):
                continue
            with contextlib.suppress(psutil.Error):
                family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
                found[str(run.folder)] = self._of(family)
        return found

    def _of(self, family: Iterable[psutil.Process]) -> tuple[float, float]:
        cpu = memory = 0.0
        for process in family:
            known = self._processes.setdefault(process.pid, process)
            if known != process:  # the number is used again
                self._processes[process.pid] = known = process
            with contextlib.suppress(psutil.Error):
                cpu += known.cpu_percent()
                memory += known.memory_info().rss / GIB
        return cpu, memory


def gpus() -> list[Gpu]:
    """The GPUs that NVIDIA's driver knows; none without a driver."""
    found = []
    with contextlib.suppress(pynvml.NVMLError):
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            busy = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu
            name = str(pynvml.nvmlDeviceGetName(handle))
            found.append(Gpu(name, busy, int(memory.used) / GIB, int(memory.total) / GIB))
    return found
