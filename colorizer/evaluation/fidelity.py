"""Fidelity of runs and baselines, as it is measured after every training."""

import json
from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.utils import get_class
from omegaconf import OmegaConf

from colorizer.cache import cache_folder, code_of
from colorizer.callbacks import Progress
from colorizer.colorizer import Colorizer
from colorizer.config import (
    build_trusted,
    parameters,
)
from colorizer.console import (
    complain,
    say,
)
from colorizer.data import ColorizationData, SplitName
from colorizer.data.base import DATA_ROOT
from colorizer.errors import UserError
from colorizer.evaluation.ceilings import Ceiling, real
from colorizer.files import json_ready, write_json
from colorizer.metrics import PROTOCOL
from colorizer.models import Baseline
from colorizer.paths import config_folder
from colorizer.pictures import choose, colorize_examples
from colorizer.representations import RGB
from colorizer.runs import EXAMPLES, REAL, Run
from colorizer.tasks import Evaluation
from colorizer.weights import Weights

# The rows that every table starts with, from conf/model/.
BASELINES = ("gray_copy", "mean_chroma", "gray_lookup")

Metrics = dict[str, float | None]


def accelerator() -> str:
    """What Lightning is to compute on: a GPU, or the CPU; Apple's MPS has no double precision."""
    return "gpu" if torch.cuda.is_available() else "cpu"


def score(module: Evaluation, data: ColorizationData, split: SplitName, title: str) -> Metrics:
    """The fidelity metrics of a colorizer on a split, on whatever device there is."""
    trainer = pl.Trainer(
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        accelerator=accelerator(),
        devices=1,
        callbacks=[Progress(refresh_rate=2, title=title)],
    )
    run = trainer.validate if split == "val" else trainer.test
    (values,) = run(module.eval(), datamodule=data, verbose=False)
    return {name.removeprefix(f"{split}/"): value for name, value in values.items()}


def baseline(name: str, data: ColorizationData) -> Colorizer:
    """A baseline of conf/model, fitted on the training split."""
    config = OmegaConf.load(config_folder() / "model" / f"{name}.yaml")
    network = get_class(config._target_)(out_channels=RGB.channels)
    assert isinstance(network, Baseline)
    network.fit(data.prepare(batch) for batch in data.predict_dataloader())
    return Colorizer(network, RGB()).eval()


def reference_rows(data: ColorizationData, split: SplitName) -> dict[str, Metrics]:
    """The rows of the baselines and, last, of the real images; scored once and kept.

    They are kept in the user's cache folder, by the fingerprints of the data and of the code that
    they come from.
    """
    splits = (data.split("train").fingerprint, data.split(split).fingerprint)
    key = "-".join([*splits, _code()])
    cache = cache_folder()
    path = cache / "references" / f"{key}.json"
    try:
        rows: dict[str, Metrics] = json.loads(path.read_text())
    except (OSError, ValueError):
        rows = {}
        say("scoring the baselines, once for this data")
        for name in BASELINES:
            rows[name] = score(Evaluation(baseline(name, data)), data, split, name)
        rows[REAL] = score(Ceiling(real), data, split, REAL)
        rows = {name: json_ready(row) for name, row in rows.items()}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, rows)
        except OSError as error:
            complain(f"the baselines' scores could not be kept in {cache}: {error.strerror}")
    return rows


def _code() -> str:
    """Fingerprint of the code that the kept rows depend on."""
    return code_of(__name__, start=PROTOCOL)


def test_finished(run: Run) -> None:
    """Score a finished run on the test set, once, and write its pictures.

    A search trains without: only its best run may touch the test set. A judge is tested by
    `colorizer judge`.

    Raises:
        UserError: see `data_of` and `Run.colorizer`.
    """
    if run.metrics("test") or not run.colorizes:
        return
    data = data_of(run)
    module = Evaluation(run.colorizer())
    scores = score(module, data, "test", run.name)
    run.add_test(scores, reference_rows(data, "test"))
    settings = (run.config.callbacks or {}).get("examples")
    if settings:
        indices = choose(data, "test", settings.images, settings.seed)
        examples = colorize_examples(module, data, "test", indices, module.device)
        (run.folder / EXAMPLES).parent.mkdir(exist_ok=True)
        examples.save(run.folder / EXAMPLES)
        examples.picture().save((run.folder / EXAMPLES).with_suffix(".png"))


def data_of(
    run: Run | Weights, overrides: Sequence[str] = (), trust: Sequence[str] = ()
) -> ColorizationData:
    """The data that a run was trained on, where this machine has it.

    Where that is, and whether it may be downloaded, is for the user to say, not for the run.

    Args:
        run: a finished run, or weights of one.
        overrides: such as `data.root=…`.
        trust: see `build_trusted`.

    Raises:
        UserError: an override that is not of the data, or data that is not there.
    """
    config = run.config.data.copy()
    for name, value in {"root": DATA_ROOT, "download": False}.items():
        if name in config:
            config[name] = value
    for override in overrides:
        key, _, value = override.partition("=")
        name = key.removeprefix("data.")
        known = parameters(str(config._target_), "data") or []
        if not key.startswith("data.") or name not in known:
            raise UserError(
                f"override {override!r}: with runs, only keys below 'data.' can be overridden: "
                f"{', '.join(known)}"
            )
        config = OmegaConf.merge(config, OmegaConf.from_dotlist([f"{name}={value}"]))
    return checked(build_trusted(config, trust))


def checked(data: Any) -> ColorizationData:
    """Data whose files were found and are whole."""
    assert isinstance(data, ColorizationData)
    data.prepare_data()
    return data
