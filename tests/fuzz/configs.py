"""Wrong command lines, config files and studies."""

import copy
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from colorizer.config import (
    check_study,
    check_study_overrides,
    compose_jobs,
    resolved,
)
from colorizer.config.explain import explain
from colorizer.config.keys import check_keys, dotted
from colorizer.config.overrides import parsed
from colorizer.config.trust import check_own
from colorizer.errors import UserError, in_a_line
from colorizer.paths import config_folder, groups, options
from colorizer.preflight import check
from colorizer.sweeps.study import Study
from tests.fuzz.bench import ROOT, Bench
from tests.fuzz.nasty import damaged, misspelt, word

# Between them, all files of all groups; those of two groups that differ in the task.
BASES = (
    (),
    ("model=linear", "optimizer=sgd", "scheduler=cosine", "logger=csv"),
    ("model=autoencoder", "loss=huber", "optimizer=adam", "trainer=gpu", "callbacks=ema"),
    ("model=residual_unet", "loss=[mse,ssim,tv]", "optimizer=muon", "trainer=ddp"),
    ("model=cnn", "loss=[l1,gradient,chroma_tv]", "scheduler=constant", "logger=none"),
    ("model=linear", "logger=[tensorboard,mlflow]", "debug=overfit"),
    ("task=flow_matching",),
    ("task=bin_classification",),
    ("experiment=judge",),
    ("experiment=faithful", "data=cifar10"),
    ("experiment=flow", "data=cifar10"),
)
LONGEST_MESSAGE = 1000


def value_of_a_key(random: Random, bench: Bench) -> None:
    """`colorizer train KEY=VALUE` for any key of the shipped configs.

    What Hydra does with an override is done to a config that is composed once.
    """
    base = _base(random.choice(BASES))
    override = _override(random, base)
    bench.note = override
    config = copy.deepcopy(base)
    # The origin of a key that nothing reads is looked up in the files.
    with initialize_config_dir(str(config_folder()), version_base="1.3", job_name="train"):
        _check_message(lambda: _apply(config, override))


def _apply(config: DictConfig, override: str) -> None:
    (understood,) = parsed([override])
    if understood.is_sweep_override():
        raise UserError("a sweep")
    if understood.key_or_group in groups():
        raise UserError("a group")
    try:
        ConfigLoaderImpl._apply_overrides_to_config([understood], config)
    except Exception as error:  # as in colorizer.config.compose
        raise UserError(explain(error, [override], [])) from error
    try:
        check_own(config)
        check_keys(config, [override])
    except (HydraException, OmegaConfBaseException, RecursionError) as error:
        raise UserError(in_a_line(error)) from error
    resolved(config, ".")


def command_line(random: Random, bench: Bench) -> None:
    """A whole command line, composed by Hydra, and now and then built and tried."""
    chosen = list(random.choice(BASES))
    base = _base(tuple(chosen))
    chosen += [
        _override(random, base) if random.random() < 0.6 else _grammar(random)
        for _ in range(random.choice((1, 1, 2, 3)))
    ]
    if random.random() < 0.3:
        place = random.randrange(len(chosen))
        chosen[place] = misspelt(random, chosen[place])
    bench.note = repr(chosen)
    multirun, build = random.random() < 0.1, random.random() < 0.3

    def whole() -> None:
        photos = [] if any("data=" in part for part in chosen) else ["data=photos"]
        jobs = compose_jobs([*photos, *chosen, "trainer.accelerator=cpu"], multirun)
        for job in jobs[:3]:
            resolved(job.config, ".")
            if build and "photos" in str(job.config.data) and "flow" not in str(job.config.model):
                check(job.config)

    _check_message(whole)


def config_file(random: Random, bench: Bench) -> None:
    """A shipped config file, damaged, in `--config-dir`."""
    path = random.choice(_shipped())
    folder = bench.config_dir
    shutil.rmtree(folder, ignore_errors=True)
    relative = path.relative_to(config_folder())
    (folder / relative).parent.mkdir(parents=True)
    content = damaged(random, path.read_bytes())
    if random.random() < 0.3:
        lines = content.decode(errors="replace").splitlines()
        place = random.randrange(len(lines) + 1)
        key = lines[place].partition(":")[0] if place < len(lines) else "x"
        lines[place : place + 1] = [f"{key}: {word(random)}"]
        content = "\n".join(lines).encode("utf-8", "surrogatepass")
    (folder / relative).with_name("mine.yaml").write_bytes(content)
    choice = f"{relative.parent}=mine"
    bench.note = f"{choice}: {content!r}"
    _check_message(
        lambda: [
            resolved(job.config, ".") for job in compose_jobs([choice], config_dir=str(folder))
        ]
    )


def study_file(random: Random, bench: Bench) -> None:
    """The study.yaml of a study, damaged or with other overrides."""
    path = random.choice(_studies())
    content = path.read_bytes()
    if random.random() < 0.5:
        content = damaged(random, content)
    else:
        lines = [f"  - {_override(random, _base(()))}", f"  - {word(random)}"]
        content += "\n".join(random.sample(lines, 1)).encode("utf-8", "surrogatepass")
    folder = bench.folder / "study"
    folder.mkdir(exist_ok=True)
    (folder / "study.yaml").write_bytes(content)
    bench.note = repr(content)
    whole = random.random() < 0.05

    def opened() -> None:
        study = Study.open(str(folder))
        check_study_overrides(study.overrides)
        if whole:
            compose_jobs(study.overrides[:12], multirun=True, trusted=check_study)
        else:
            parsed(study.overrides)

    _check_message(opened)


def _override(random: Random, base: DictConfig) -> str:
    key = random.choice(_keys(base))
    if random.random() < 0.1:
        key = misspelt(random, key)
    before = random.choice(("", "", "", "", "", "+", "++", "~"))
    value = word(random)
    return f"{before}{key}" if before == "~" and random.random() < 0.7 else f"{before}{key}={value}"


def _grammar(random: Random) -> str:
    """A choice of a group, or something that is no override."""
    group = random.choice([*groups(), "hydra/sweeper", "hydra/launcher", "nogroup"])
    names = options(group) or ["x"]
    value = random.choice((random.choice(names), f"[{','.join(names[:3])}]", word(random), "null"))
    return random.choice((f"{group}={value}", f"+{group}={value}", f"~{group}", word(random)))


def _check_message(attempt: Callable[[], object]) -> None:
    """Try, and check that a message is one line, and no longer than can be read."""
    try:
        attempt()
    except UserError as error:
        text = str(error)
        assert text.strip(), "an empty message"
        assert "\n" not in text.strip() or "Did you mean" in text, f"several lines: {text!r}"
        assert len(text) < LONGEST_MESSAGE, f"{len(text)} characters: {text[:200]!r}"
        raise


@cache
def _base(overrides: tuple[str, ...]) -> DictConfig:
    photos = () if "data=cifar10" in overrides else ("data=photos",)
    (job,) = compose_jobs([*photos, *overrides])
    return job.config


def _keys(base: DictConfig) -> list[str]:
    known = _KEYS.get(id(base))
    if known is None:
        known = _KEYS[id(base)] = [key for key in dotted(base) if not key.startswith("hydra.")]
    return known


_KEYS: dict[int, list[str]] = {}


@cache
def _shipped() -> list[Path]:
    files = sorted(config_folder().glob("*/*.yaml"))
    return [path for path in files if path.parent.name != "hydra"]


@cache
def _studies() -> list[Path]:
    return sorted((ROOT / "experiments").glob("*/study.yaml"))
