"""Values that cannot be meant are refused before there is a run, with their key."""

from pathlib import Path

import pytest

from tests.conftest import JOB, Here

REFUSED = [
    ("optimizer.lr=true", "optimizer.lr=true: a number above 0"),
    ("optimizer.lr=0", "optimizer.lr=0: a number above 0"),
    ("optimizer.lr=-1", "optimizer.lr=-1: a number above 0"),
    ("optimizer.lr=nan", "optimizer.lr=nan: a number above 0"),
    ("data.batch_size=true", "data.batch_size=true: a whole number from 1"),
    ("data.batch_size=0", "data.batch_size=0: a whole number from 1"),
    ("data.batch_size=1.5", "data.batch_size=1.5: a whole number from 1"),
    ("trainer.gradient_clip_val=-1", "trainer.gradient_clip_val=-1: a number from 0"),
    ("+trainer.fast_dev_run=-1", "trainer.fast_dev_run=-1: true or false or a whole number from 1"),
    ("+trainer.overfit_batches=-3", "trainer.overfit_batches=-3: a whole number from 1"),
    ("+trainer.limit_test_batches=1", "the test split is scored whole"),
    ("+trainer.limit_predict_batches=1", "nothing predicts in a training"),
    ("+trainer.profiler=xla", "one of simple, advanced, pytorch"),
    ("+trainer.gradient_clip_algorithm=max", "one of norm, value or null"),
    ("trainer.precision=64-true", "the others keep the weights themselves"),
    ("trainer.precision=16-mixed", "not on a CPU, where bf16-mixed is to be had"),
    ("+trainer.strategy=fsdp", "the others share out weights that fit any device here"),
    ("+trainer.strategy=ddp_spawn", "or keep what was trained in the processes that they start"),
    ("+trainer.barebones=true", "it would leave neither weights nor numbers"),
    ("+trainer.max_time='00:00:00:00'", "trainer.max_time=00:00:00:00: DD:HH:MM:SS"),
    ("+trainer.max_time={seconds: 0}", "trainer.max_time={'seconds': 0}: DD:HH:MM:SS"),
    ("+trainer.max_time=soon", "trainer.max_time=soon: DD:HH:MM:SS"),
    ("test=abc", "test=abc: true or false"),
    ("retry_failed=xxx", "retry_failed=xxx: true or false"),
    ("resume=maybe", "resume=maybe: one of auto, never, anyway"),
    ("run_dir=/elsewhere", "run_dir follows hydra.run.dir=FOLDER"),
    ("trainer.default_root_dir=/elsewhere", "trainer.default_root_dir: hydra.run.dir says"),
    ("++run_dir=/elsewhere", "run_dir follows hydra.run.dir=FOLDER"),
    ("run_dir=${name}", "run_dir follows hydra.run.dir=FOLDER"),
    ("run_dir=null", "run_dir follows hydra.run.dir=FOLDER"),
    ("~hydra/sweeper", "hydra/sweeper: there has to be one"),
    ("hydra.launcher=null", "hydra/launcher: there has to be one"),
    ("run_dir={a: 1}", "run_dir"),
    ("+trainer.default_root_dir=/elsewhere", "'+trainer.default_root_dir=/elsewhere': it is there"),
    ("callbacks.checkpoint.mode=max", "nothing reads the key 'mode' under 'callbacks.checkpoint'"),
    ("+callbacks.checkpoint.mode=max", "nothing reads the key 'mode' under 'callbacks.checkpoint'"),
    ("monitor_mode=max", "monitor_mode=max: val/mse is better at min"),
    ("+callbacks.checkpoint.folder=x", "nothing reads the key 'folder'"),
    ("+callbacks.checkpoint.dirpath=x", "nothing reads the key 'dirpath'"),
    ("+callbacks.checkpoint.every_n_epochs=9", "nothing reads the key 'every_n_epochs'"),
    ("callbacks.checkpoint.every_minutes=-1", "callbacks.checkpoint.every_minutes=-1: a number"),
    ("+trainer.check_val_every_n_epoch=9", "no validation would choose the weights"),
    ("+trainer.limit_val_batches=0", "trainer.limit_val_batches=0: a whole number from 1"),
    ("+trainer.enable_checkpointing=false", "trainer.enable_checkpointing=false: true or null"),
    ("~callbacks.checkpoint", "callbacks.checkpoint is missing"),
    (
        "callbacks.checkpoint={_target_:pytorch_lightning.callbacks.ModelCheckpoint}",
        "callbacks.checkpoint",
    ),
]


@pytest.mark.parametrize(("override", "message"), REFUSED, ids=[case for case, _ in REFUSED])
def test_nonsense(
    override: str, message: str, here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here("train", *JOB, override) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1, err
    assert not list(tmp_path.iterdir())


def test_another_checkpoint_callback(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    mine = Path("conf/callbacks/mine.yaml")
    mine.parent.mkdir(parents=True)
    mine.write_text("checkpoint:\n  _target_: pytorch_lightning.callbacks.ModelCheckpoint\n")
    job = [override for override in JOB if "progress" not in override]
    assert here("train", "--config-dir", "conf", *job, "callbacks=mine") == 2
    assert "callbacks.checkpoint._target_=pytorch_lightning" in capsys.readouterr().err
    assert not Path("outputs").exists()


def test_a_run_dir_in_a_file(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    mine = Path("conf/experiment/mine.yaml")
    mine.parent.mkdir(parents=True)
    mine.write_text("# @package _global_\nrun_dir: /elsewhere\n")
    assert here("train", "--config-dir", "conf", *JOB, "experiment=mine") == 2
    assert "run_dir follows hydra.run.dir=FOLDER" in capsys.readouterr().err
    assert not Path("outputs").exists()
