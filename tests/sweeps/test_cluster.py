"""A Ray cluster that is running already: two nodes, which are processes of this machine."""

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from colorizer.runs import open_run
from colorizer.sweeps.plan import Sweep
from tests.conftest import JOB, Here
from tests.sweeps.test_grid import scores, start, states, wait_for

JOBS = 200


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Started elsewhere than the sweeps are, and with a processor for each node."""
    utils = pytest.importorskip("ray.cluster_utils")
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    try:
        node = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 10**8}
        head = {**node, "include_dashboard": False}
        made = utils.Cluster(initialize_head=True, head_node_args=head)
        made.add_node(**node)
        yield made
        made.shutdown()
    finally:
        os.chdir(before)


def on(cluster: Any) -> tuple[str, ...]:
    return (
        "hydra/launcher=cluster",
        f"hydra.launcher.ray.init.address={cluster.address}",
        "hydra.launcher.ray.remote.num_gpus=0",
    )


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.slow  # half a minute
def test_jobs_on_two_nodes_are_interrupted_and_go_on(cluster: Any, tmp_path: Path) -> None:
    """Each has a node of its own; a signal ends both in order."""
    folder = tmp_path / "outputs" / "many"
    job = (*JOB, "trainer.max_epochs=100000", "seed=0,1", *on(cluster))
    process = start(tmp_path, "train", "-m", "study=many", *job)
    try:
        for name in ("0", "1"):
            wait_for(process, folder / name / "checkpoints" / "best.ckpt")
        pids = [open_run(folder / name).status["pid"] for name in ("0", "1")]
        assert len({parent(pid) for pid in pids}) == 2  # the daemons of the nodes
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode == 75, err
    assert states(folder) == {"0": "interrupted", "1": "interrupted"}
    assert "Traceback" not in err, err


@pytest.mark.slow  # 5 minutes
def test_two_hundred_jobs(cluster: Any, tmp_path: Path, here: Here) -> None:
    """On both nodes, each in a process for all of its jobs; the numbers are those of one alone."""
    job = (*JOB, "test=false", "+trainer.limit_val_batches=1")
    process = start(
        tmp_path, "train", "-m", "study=many", *job, f"seed=range({JOBS})", *on(cluster)
    )
    out, err = process.communicate(timeout=3600)
    assert process.returncode == 0, err
    assert "mean ± standard deviation over seeds" in out
    runs = [open_run(folder) for folder in Sweep(tmp_path / "outputs" / "many").numbered()]
    assert [run.state for run in runs] == ["finished"] * JOBS
    assert len({run.status["pid"] for run in runs}) == 2
    spans = sorted((run.status["started"], run.status["updated"]) for run in runs)
    assert any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))
    assert here("train", *job, "seed=4", "hydra.run.dir=alone") == 0
    assert scores(runs[4].folder) == scores(tmp_path / "alone")


def test_a_cluster_that_is_not_there(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ray")
    address = "hydra.launcher.ray.init.address=127.0.0.1:9"
    assert here("train", "-m", *JOB, "seed=0,1", "hydra/launcher=cluster", address) == 2
    err = capsys.readouterr().err
    assert "hydra/launcher: no Ray at 127.0.0.1:9" in err
    assert "Traceback" not in err
