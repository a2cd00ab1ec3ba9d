"""Nothing that comes from outside is executed, and nothing is written outside a study's folder."""

from pathlib import Path

import pytest

from colorizer.config import check_study, check_study_overrides, compose_jobs
from colorizer.errors import UserError
from colorizer.sweeps.study import Study
from tests.commands.test_study import STUDIES, write_study
from tests.conftest import JOB, Here

MINE = "{canary}"

ATTACKS = [
    "+callbacks.x={_target_:torch.load,f:{canary},weights_only:false}",
    "+callbacks.x={_target_:shutil.copyfile,src:/etc/hostname,dst:{canary}}",
    "+callbacks.x={_target_:os.system,command:'touch {canary}'}",
    "+callbacks.x={_target_:subprocess.Popen,args:[touch,{canary}]}",
    "+callbacks.x={_target_:builtins.exec,_args_:[\"open('{canary}','w')\"]}",
    "+callbacks.x={_target_:pathlib.Path.touch,_args_:[{canary}]}",
    "+callbacks.x={_target_:numpy.save,file:{canary},arr:[1]}",
    "+callbacks.x={_target_:colorizer.files.write_text,path:{canary},text:x}",
    "+callbacks.x={_target_:colorizer.data.base.os.system,_args_:['touch {canary}']}",
    "+callbacks.x={_target_:colorizer.callbacks.NonFiniteLoss,y:{_target_:os.system,_args_:[x]}}",
    "+callbacks.x={_target_:pytorch_lightning.callbacks.ModelCheckpoint,dirpath:{canary}}",
    "+callbacks.x={_target_:pytorch_lightning.callbacks.LambdaCallback,setup:{_target_:os.getcwd}}",
    "+callbacks.x={_target_:a_module_that_writes.Anything}",
    "callbacks.examples.folder={canary}",
    "callbacks.examples.folder=pictures",
    "callbacks.examples.folder=${run_dir}/../../../x",
    "logger.csv.save_dir={canary}",
    "trainer.default_root_dir={canary}",
    "model._target_=os.system",
    "optimizer._target_=torch.hub.load",
    "hydra.sweep.dir={canary}",
    "hydra.run.dir={canary}",
    "+hydra.job.env_set.LD_PRELOAD={canary}",
    "hydra.searchpath=[file://{canary}]",
    "+hydra.launcher.setup=['touch {canary}']",
    "hydra.launcher._target_=os.system",
    "run_dir={canary}",
    "study=another",
    "resume=anyway",
    "name=${oc.env:HOME}",
    "--config-dir={canary}",
    "--experimental-rerun={canary}",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_study_of_a_stranger(
    attack: str,
    here: Here,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    canary = tmp_path / "canary"
    module = tmp_path / "a_module_that_writes.py"
    module.write_text(f"open({str(canary)!r}, 'w')\nclass Anything: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    write_study(tmp_path / "theirs", *JOB, attack.replace("{canary}", str(canary)))
    assert here("study", "theirs") == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1, err
    assert not canary.exists()
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.name)
def test_our_studies_pass(study: Path) -> None:
    overrides = Study.open(str(study)).overrides
    check_study_overrides(overrides)
    assert compose_jobs(overrides, multirun=True, trusted=check_study)


def test_a_package_that_is_trusted() -> None:
    override = "+callbacks.x={_target_:tests.config.test_trust.Own}"
    with pytest.raises(UserError, match="--trust PACKAGE"):
        compose_jobs([*JOB, override], trusted=check_study)
    compose_jobs([*JOB, override], trusted=lambda config: check_study(config, ["tests"]))


class Own:
    """Somebody's class."""


@pytest.mark.parametrize(
    "target",
    ["os.system", "shutil.copyfile", "torch.load", "subprocess.Popen", "builtins.exec",
     "numpy.save", "pickle.load", "importlib.import_module", "torch.hub.load", "joblib.load"],
)  # fmt: skip
def test_the_users_own_config(target: str) -> None:
    with pytest.raises(UserError, match=target):
        compose_jobs([*JOB, f"+callbacks.x={{_target_:{target}}}"])
