import itertools
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from colorizer.color import luma
from colorizer.config import Job, build_colorizer, build_trusted, compose_jobs, resolved
from colorizer.data import Batch
from colorizer.errors import UserError
from colorizer.models import Baseline
from colorizer.paths import config_folder, options
from colorizer.train import build_parts

BASELINES = ("gray_copy", "mean_chroma", "gray_lookup")
# What the regression trains, at full resolution, since RGB needs that, and wavelet bands the half;
# bins are the other task's, and with `linear` a gigabyte of weights.
DRAWING = ("flow", "wavelet_mixture")
APART = (*DRAWING, "residual_unet")
NETWORKS = [name for name in options("model") if name not in (*BASELINES, *APART)]
REPRESENTATIONS = [
    name for name in options("representation") if name not in ("chroma_bins", "haar_chroma")
]


def covering(*axes: list[str]) -> list[tuple[str, ...]]:
    """Few combinations in which every pair of values of two axes occurs together."""
    missing = {
        (i, a, j, b)
        for (i, one), (j, two) in itertools.combinations(enumerate(axes), 2)
        for a in one
        for b in two
    }

    def pairs(row: tuple[str, ...]) -> set[tuple[int, str, int, str]]:
        return {(i, a, j, b) for (i, a), (j, b) in itertools.combinations(enumerate(row), 2)}

    chosen = []
    while missing:
        best = max(itertools.product(*axes), key=lambda row: len(pairs(row) & missing))
        missing -= pairs(best)
        chosen.append(best)
    return chosen


@pytest.mark.parametrize(
    ("model", "representation", "loss", "optimizer", "scheduler"),
    covering(
        NETWORKS,
        REPRESENTATIONS,
        options("loss"),
        options("optimizer"),
        options("scheduler"),
    ),
)
def test_combinations_compose_and_learn_a_step(
    model: str, representation: str, loss: str, optimizer: str, scheduler: str, rgb: torch.Tensor
) -> None:
    (job,) = compose_jobs(
        [
            f"model={model}",
            f"representation={representation}",
            f"loss={loss}",
            f"optimizer={optimizer}",
            f"scheduler={scheduler}",
            "data=photos",
        ]
    )
    learns_a_step(job, rgb)


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=residual_unet", "loss=mse_smooth_structure"],
        ["model=residual_unet", "representation=haar_chroma"],
        ["task=bin_classification", "model=residual_unet"],
        ["task=bin_classification", "model=cnn"],
        ["task=flow_matching"],
        ["task=likelihood"],
        ["task=adversarial"],
        ["task=flow_matching", "model.velocity.attention_heads=4"],
    ],
    ids=" ".join,
)
def test_tasks_bring_what_they_need_and_learn_a_step(
    overrides: list[str], rgb: torch.Tensor
) -> None:
    (job,) = compose_jobs([*overrides, "data=photos"])
    assert (job.config.get("loss") is None) == overrides[0].startswith("task=")
    learns_a_step(job, rgb)


def learns_a_step(job: Job, rgb: torch.Tensor) -> None:
    _, task = build_parts(resolved(job.config, "run"))
    step = task.make_optimizer(task.parameters())
    schedule = task.make_scheduler(step, total_steps=10)
    before = [parameter.detach().clone() for parameter in task.parameters()]
    total, terms, _ = task.losses(Batch(luma(rgb), rgb, torch.zeros(len(rgb))))
    assert torch.isfinite(total)
    assert terms
    total.backward()
    step.step()
    schedule.step()
    assert any(not torch.equal(*pair) for pair in zip(before, task.parameters(), strict=True))
    output = task.eval()(luma(rgb))
    assert output.shape == rgb.shape
    assert output.min() >= 0
    assert output.max() <= 1


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_compose(name: str, rgb: torch.Tensor) -> None:
    (job,) = compose_jobs([f"model={name}", "data=photos"])
    colorizer = build_colorizer(resolved(job.config, "run"))
    assert isinstance(colorizer.network, Baseline)
    assert colorizer(luma(rgb)).shape == rgb.shape


@pytest.mark.parametrize("name", options("experiment"))
def test_experiments_compose_and_name_their_command(name: str) -> None:
    compose_jobs([f"experiment={name}"])
    text = (config_folder() / "experiment" / f"{name}.yaml").read_text()
    assert f"experiment={name}" in text


def test_the_report_is_at_50_epochs_and_in_rgb() -> None:
    for name in options("experiment"):
        if name.startswith("report_"):
            (job,) = compose_jobs([f"experiment={name}"])
            assert job.config.trainer.max_epochs == 50
            assert job.config.representation._target_.endswith(".RGB")


def test_several_terms_from_the_command_line() -> None:
    (job,) = compose_jobs(["loss=[mse,ssim,tv]", "loss.weights.tv=0.2"])
    assert dict(job.config.loss.weights) == {"mse": 1.0, "ssim": 1.0, "tv": 0.2}


def test_the_control_takes_rgb_unless_told_otherwise() -> None:
    (job,) = compose_jobs(["model=linear"])
    assert job.config.representation._target_.endswith(".RGB")
    (job,) = compose_jobs(["model=linear", "representation=ycbcr"])
    assert job.config.representation._target_.endswith(".YCbCr")


def test_a_multirun_is_every_combination() -> None:
    jobs = compose_jobs(
        ["model=linear,cnn", "loss=mse,mse_smooth_structure", "seed=range(3)"], multirun=True
    )
    assert len(jobs) == 12
    assert len({tuple(job.overrides) for job in jobs}) == 12


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model=unett"], "override 'model=unett': model has no 'unett'. Did you mean 'unet'?"),
        (
            ["modell=unet"],
            "override 'modell=unet': there is no key 'modell'. Did you mean 'model'?",
        ),
        (["optimzer.lr=1"], "there is no key 'optimzer.lr'. Did you mean 'optimizer.lr'?"),
        (["optimizer.lrr=1"], "nothing reads the key 'lrr' under 'optimizer'. Did you mean 'lr'?"),
        (["+optimizer.lrr=1"], "override '+optimizer.lrr=1': nothing reads the key 'lrr'"),
        (["seeed=1"], "override 'seeed=1': there is no key 'seeed'. Did you mean 'seed'?"),
        (["+trainerr.max_epochs=1"], "nothing reads the key 'trainerr'. Did you mean 'trainer'?"),
        (["loss=[mse,sim]"], "override 'loss=[mse,sim]': loss has no 'sim'. Did you mean 'ssim'?"),
        (["loss.weights.ssim=1"], "the loss has no term 'ssim'; 'loss=[mse,ssim]' adds it."),
        (
            ["callbacks.chekpoint.every_minutes=1"],
            "Did you mean 'callbacks.checkpoint.every_minutes'?",
        ),
        (["callbacks.checkpoint.mode=max"], "nothing reads the key 'mode'"),
        (["+callbacks.checkpoint.mode=max"], "nothing reads the key 'mode'"),
        (["+callbacks.checkpoint.folder=x"], "nothing reads the key 'folder'"),
        (["+callbacks.chekpoint.mode=max"], "nothing reads the key 'chekpoint' under 'callbacks'"),
        (["+logger.wandb.progect=x"], "nothing reads the key 'progect' under 'logger.wandb'"),
        (["trainer.max_steps=5"], "is not set yet, so add it: '+trainer.max_steps=5'"),
        (["experiment=course_lineer"], "Did you mean 'course_linear'?"),
        (["loss.wights.ssim=2"], "Did you mean 'loss.weights.mse'?"),
        (["hydra.run.dirr=x"], "Did you mean 'hydra.run.dir'?"),
        (["+hydra.jobb.x=1"], "nothing reads the key 'jobb' under 'hydra'. Did you mean 'job'?"),
        (["~model"], "model is missing: there has to be one of autoencoder, cnn"),
        (["seed=[1"], "override 'seed=[1' cannot be read"),
    ],
)
def test_a_misspelt_word_is_named_with_the_nearest(overrides: list[str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        compose_jobs(overrides)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "text", "override", "message"),
    [
        (
            "experiment/mine.yaml",
            "# @package _global_\ntrainerr:\n  max_epochs: 3\n",
            "+experiment=mine",
            "experiment/mine.yaml: nothing reads the key 'trainerr'. Did you mean 'trainer'?",
        ),
        (
            "experiment/mine.yaml",
            "# @package _global_\noptimizer:\n  learning_rate: 3\n",
            "experiment=mine",
            "experiment/mine.yaml: nothing reads the key 'learning_rate' under 'optimizer'.",
        ),
        (
            "experiment/mine.yaml",
            "# @package _global_\ndefaults:\n  - override /modell: cnn\n",
            "experiment=mine",
            "experiment/mine.yaml: no group 'modell' to override. Did you mean 'model'?",
        ),
        (
            "experiment/mine.yaml",
            "# @package _global_\ndefaults:\n  - override /model: cnnn\n",
            "experiment=mine",
            "model has no 'cnnn'. Did you mean 'cnn'?",
        ),
        (
            "model/mine.yaml",
            "_target_: colorizer.models.CNN\nwidht: 3\ndepth: 3\npassthrough: true\n",
            "model=mine",
            "model/mine.yaml: nothing reads the key 'widht' under 'model'. Did you mean 'width'?",
        ),
        (
            "model/mine.yaml",
            "_target_: colorizer.models.CNNN\n",
            "model=mine",
            "model: there is no colorizer.models.CNNN",
        ),
    ],
)
def test_a_misspelt_key_in_a_file_names_the_file(
    tmp_path: Path, file: str, text: str, override: str, message: str
) -> None:
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_text(text)
    with pytest.raises(UserError) as caught:
        compose_jobs([override.lstrip("+")], config_dir=str(tmp_path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=-1", "seed=-1: a whole number"),
        ("seed=two", "seed=two: a whole number"),
        ("threads=0", "threads=0: a whole number from 1"),
        ("monitor_mode=up", "monitor_mode=up: val/mse is better at min"),
        ("monitor=val/mes", "monitor=val/mes: not a metric to choose by. Did you mean 'val/mse'"),
        ("monitor=test/mse", "not a metric to choose by"),
        ("model.widths=[16]", "widths=.16.: a list of 2 to 10, each a whole number from 1 to 8192"),
        ("loss.weights.mse=-1", "loss.weights.mse=-1"),
        ("data.image_size=64", "32 pixels wide"),
        ("data.root=???", "data.root has no value"),
    ],
)
def test_an_impossible_value_is_refused(override: str, message: str) -> None:
    (job,) = compose_jobs([override])
    with pytest.raises(UserError, match=message):
        build_parts(resolved(job.config, "run"))


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "colorizer.data.base.hashlib.new",
        "colorizer.models.unet.torch.load",
        "colorizer.runs.RunWriter",
        "colorizer.data.Split",
        "torch.nn.modules.module.torch.load",
        "colorizer.models.NoSuchNetwork",
    ],
)
def test_a_strangers_config_builds_only_the_projects_classes(target: str) -> None:
    with pytest.raises(UserError, match="is not a class of colorizer|there is no colorizer"):
        build_trusted(OmegaConf.create({"_target_": target, "nested": {"a": 1}}))


def test_trust_reaches_into_nested_nodes() -> None:
    node = OmegaConf.create(
        {"_target_": "colorizer.models.CNN", "width": {"_target_": "os.getpid"}}
    )
    with pytest.raises(UserError, match="os.getpid"):
        build_trusted(node)


@pytest.mark.parametrize(
    "override",
    [
        *(f"model={name}" for name in options("model") if name not in DRAWING),
        *(f"representation={name}" for name in options("representation")),
        "task=flow_matching",
        "task=likelihood",
        "task=adversarial",
        "task=bin_classification",
    ],
)
def test_what_a_run_was_made_of_is_trusted(override: str) -> None:
    (job,) = compose_jobs([override])
    build_colorizer(resolved(job.config, "run"), trust=())
