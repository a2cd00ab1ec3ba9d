"""Targets that would execute something, in a stranger's config and in the user's own."""

from random import Random
from typing import Any

from omegaconf import DictConfig, OmegaConf

from colorizer.config import build_colorizer, build_trusted, check_study
from colorizer.config.trust import check_own
from colorizer.errors import UserError
from tests.fuzz.bench import Bench
from tests.fuzz.nasty import VALUES, misspelt

# What would leave the canary behind.
ATTACKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("os.system", {"command": "touch {canary}"}),
    ("subprocess.run", {"args": ["touch", "{canary}"]}),
    ("subprocess.Popen", {"args": ["touch", "{canary}"]}),
    ("builtins.exec", {"_args_": ["open('{canary}', 'w')"]}),
    ("builtins.eval", {"_args_": ["open('{canary}', 'w')"]}),
    ("builtins.open", {"file": "{canary}", "mode": "w"}),
    ("shutil.copyfile", {"src": "/etc/hostname", "dst": "{canary}"}),
    ("pathlib.Path.touch", {"_args_": ["{canary}"]}),
    ("os.mkdir", {"path": "{canary}"}),
    ("torch.save", {"obj": 1, "f": "{canary}"}),
    ("torch.hub.load", {"repo_or_dir": "{canary}", "model": "x", "source": "local"}),
    ("numpy.save", {"file": "{canary}", "arr": [1]}),
    ("PIL.Image.Image.save", {"fp": "{canary}"}),
    ("colorizer.files.write_text", {"path": "{canary}", "text": "x"}),
    ("colorizer.data.base.os.mkdir", {"path": "{canary}"}),
    ("colorizer.models.unet.itertools.chain", {}),
    ("torch.nn.modules.module.torch.save", {"obj": 1, "f": "{canary}"}),
    ("torch.optim.lr_scheduler.warnings.warn", {"message": "x"}),
    ("kornia.augmentation.base.torch.save", {"obj": 1, "f": "{canary}"}),
    ("hydra.utils.call", {"config": {"_target_": "os.system", "command": "touch {canary}"}}),
    ("hydra.utils.get_method", {"path": "os.system"}),
    ("functools.partial", {"_args_": ["os.system"]}),
    ("tests.fuzz.canary.Canary", {"path": "{canary}"}),
)
PLACES = (
    *("model", "representation", "data", "model.network", "model.velocity", "callbacks.x"),
    *(
        "logger.x",
        "optimizer",
        "scheduler",
        "trainer",
        "task",
        "loss.terms.x",
        "data.augmentations.x",
    ),
)


def target(random: Random, bench: Bench) -> None:
    """A node that attacks, anywhere in a config, checked and built as each owner's config is."""
    name, arguments = random.choice(ATTACKS)
    if random.random() < 0.2:
        name = misspelt(random, name)
    node: dict[str, Any] = {"_target_": name, **_filled(arguments, str(bench.canary))}
    for key in ("_partial_", "_recursive_", "_convert_", "_args_"):
        if random.random() < 0.15:
            node[key] = random.choice((*VALUES[:8], "all", "none"))
    if random.random() < 0.3:
        node = {"_target_": "colorizer.models.CNN", "width": node}
    elif random.random() < 0.2:
        node = {"_target_": "torch.nn.Sequential", "_args_": [node]}
    place = random.choice(PLACES)
    config = OmegaConf.create({})
    OmegaConf.update(config, place, node, force_add=True)
    for part in ("model", "representation", "data", "callbacks", "logger", "trainer"):
        if part not in config:
            config[part] = None
    owner = random.choice((_study, _stranger, _own))
    bench.note = f"{owner.__name__} {OmegaConf.to_container(config)}"
    owner(config, place)
    raise AssertionError("it was accepted")


def _study(config: DictConfig, place: str) -> None:
    check_study(config)


def _stranger(config: DictConfig, place: str) -> None:
    if place.startswith("model"):
        config.representation = {"_target_": "colorizer.representations.YCbCr"}
        build_colorizer(config, trust=())
    else:
        build_trusted(OmegaConf.select(config, place))


def _own(config: DictConfig, place: str) -> None:
    """The user's own config may name anybody's classes, which are not built here."""
    if "canary.Canary" in str(config) or "_target_: tests" in str(config):
        raise UserError("it may")
    check_own(config)
    raise UserError("it may")


def _filled(value: Any, canary: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(child, canary) for key, child in value.items()}
    if isinstance(value, list):
        return [_filled(child, canary) for child in value]
    return value.replace("{canary}", canary) if isinstance(value, str) else value
