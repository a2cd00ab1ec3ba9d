"""A Slurm of one node, in a folder of its own; nothing of it outlives `stop`."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scancel", "scontrol", "squeue")
MISSING = [program for program in PROGRAMS if shutil.which(program) is None]

# A credential's life is how long a requeued job waits: two minutes, if nothing is said.
CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldTimeout=300
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=20
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0,sched_min_interval=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=2000
PartitionName=low Nodes={host} Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime={grace}
PartitionName=high Nodes={host} PriorityTier=10 PreemptMode=OFF
"""


class Slurm:
    """Munge, Slurm's controller and its node daemon, each with everything in `folder`.

    Args:
        folder: an empty one, with a short path: a socket's is at most 107 characters long.
        grace: seconds between SIGTERM and the end of a job that is preempted.
    """

    def __init__(self, folder: Path, grace: int = 60) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self.env = {**os.environ, "SLURM_CONF": str(self.conf)}
        self._daemons: list[subprocess.Popen[bytes]] = []
        for name in ("state", "spool"):
            (folder / name).mkdir()
        host = socket.gethostname().partition(".")[0]
        filled = CONF.format(
            folder=folder, host=host, user=getpass.getuser(), grace=grace, ports=free_ports()
        )
        self.conf.write_text(filled)
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)

    def start(self) -> None:
        """Start the daemons, and wait until the node takes jobs."""
        within = {
            "key-file": "munge.key",
            "socket": "munge.socket",
            "pid-file": "munge.pid",
            "log-file": "munge.log",
            "seed-file": "munge.seed",
        }
        options = [f"--{option}={self.folder / name}" for option, name in within.items()]
        # --force: a test's folder is nobody else's.
        self._daemon("munged", "--foreground", "--force", *options)
        self.wait(lambda: (self.folder / "munge.socket").exists())
        self._daemon("slurmctld", "-D", "-c")
        self._daemon("slurmd", "-D")
        self.wait(lambda: self.run("sinfo", "-h", "-p", "low", "-o", "%t", check=False) == "idle")

    def _daemon(self, program: str, *options: str) -> None:
        with (self.folder / f"{program}.out").open("wb") as output:
            self._daemons.append(
                subprocess.Popen(
                    [program, *options],
                    env=self.env,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            )

    def run(self, *command: str, check: bool = True) -> str:
        """What a command of Slurm's prints."""
        done = subprocess.run(
            command, env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=60
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def wait(self, true: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something is true.

        Raises:
            AssertionError: it never was, with what the daemons have said.
        """
        deadline = time.monotonic() + seconds
        while not true():
            dead = [d.args for d in self._daemons if d.poll() is not None]
            assert not dead, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.2)

    def said(self) -> str:
        """The ends of the daemons' logs, and the queue."""
        logs = [f"{path.name}:\n{path.read_text()[-2000:]}" for path in self.folder.glob("*.out")]
        return "\n".join([*logs, self.run("squeue", check=False)])

    def stop(self) -> None:
        """End the jobs and the daemons."""
        self.run("scancel", "--user", getpass.getuser(), check=False)
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in reversed(self._daemons):
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for _ in range(20):
            left = self.processes()
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            if not left:
                return
            time.sleep(0.2)

    def processes(self) -> list[int]:
        """What Slurm has started: all that have this configuration in their environment."""
        mine = f"SLURM_CONF={self.conf}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mine in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
            except OSError:
                continue
        return found


def free_ports(number: int = 2) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports
