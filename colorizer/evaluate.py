"""Scores runs and baselines side by side: `colorizer evaluate`."""

import json
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.utils import get_class
from omegaconf import OmegaConf

from colorizer.callbacks import Progress
from colorizer.ceilings import Ceiling, real
from colorizer.colorizer import Colorizer
from colorizer.config import (
    build,
    build_trusted,
    compose_jobs,
    parameters,
    resolved,
)
from colorizer.console import (
    complain,
    metric_cells,
    metric_titles,
    metrics_of,
    say,
    table_heading,
    text_table,
)
from colorizer.data import ColorizationData, SplitName
from colorizer.data.base import DATA_ROOT
from colorizer.errors import UserError
from colorizer.identity import files_fingerprint
from colorizer.metrics import PROTOCOL
from colorizer.models import Baseline
from colorizer.paths import config_folder
from colorizer.pictures import choose, colorize_examples
from colorizer.quiet import quiet
from colorizer.representations import RGB
from colorizer.runs import (
    BEST,
    EXAMPLES,
    LAST,
    REAL,
    Run,
    build_colorizer,
    json_ready,
    open_finished,
    unique_names,
    write_json,
)
from colorizer.tasks import Evaluation

# The rows that every table starts with, from conf/model/.
BASELINES = ("gray_copy", "mean_chroma", "gray_lookup")

Metrics = dict[str, float | None]


def score(module: Evaluation, data: ColorizationData, split: SplitName, title: str) -> Metrics:
    """The fidelity metrics of a colorizer on a split, on whatever device there is."""
    trainer = pl.Trainer(
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        devices=1,
        callbacks=[Progress(refresh_rate=2, title=title)],
    )
    run = trainer.validate if split == "val" else trainer.test
    (values,) = run(module.eval(), datamodule=data, verbose=False)
    return {name.removeprefix(f"{split}/"): value for name, value in values.items()}


def fit_baseline(colorizer: Colorizer, data: ColorizationData) -> Colorizer:
    """Fit a baseline on the training split."""
    network = colorizer.network
    assert isinstance(network, Baseline)
    network.fit(data.prepare(batch) for batch in data.predict_dataloader())
    return colorizer.eval()


def reference_rows(data: ColorizationData, split: SplitName) -> dict[str, Metrics]:
    """The rows of the baselines and, last, of the real images; scored once and kept.

    They are kept in the user's cache folder, by the fingerprints of the data and of the code that
    they come from.
    """
    splits = (data.split("train").fingerprint, data.split(split).fingerprint)
    key = "-".join([*splits, _code()])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "colorizer"
    path = cache / "references" / f"{key}.json"
    try:
        rows: dict[str, Metrics] = json.loads(path.read_text())
    except (OSError, ValueError):
        rows = {}
        say("scoring the baselines, once for this data")
        for name in BASELINES:
            config = OmegaConf.load(config_folder() / "model" / f"{name}.yaml")
            network = get_class(config._target_)(out_channels=RGB.channels)
            colorizer = fit_baseline(Colorizer(network, RGB()), data)
            rows[name] = score(Evaluation(colorizer), data, split, name)
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
    package = Path(__file__).parent
    names = ["color.py", "colorizer.py", "ceilings.py", "data/base.py", "models/baselines.py"]
    names += ["representations/rgb.py", "tasks/evaluation.py", "metrics/*.py"]
    used = [PROTOCOL, "cuda" if torch.cuda.is_available() else "cpu"]
    used += [version(name) for name in ("torch", "kornia", "torchmetrics")]
    return files_fingerprint((f for name in names for f in package.glob(name)), " ".join(used))


def comparison(rows: dict[str, Metrics], data: ColorizationData, split: SplitName) -> str:
    """The table of some colorizers between the baselines and the real images."""
    references = reference_rows(data, split)
    last = {REAL: references.pop(REAL)}
    every = {**references, **rows, **last}
    names = metrics_of(every.values())
    table = text_table(
        ["run", *metric_titles(names)],
        [[name, *metric_cells(row, names)] for name, row in every.items()],
    )
    count = len(data.split(split))
    return f"{table_heading(data.name, count, split, PROTOCOL, data.caveat)}\n\n{table}"


def test_finished(run: Run) -> None:
    """Score a finished run on the test set, once, and write its pictures.

    A search trains without: only its best run may touch the test set.

    Raises:
        UserError: see `data_of` and `Run.colorizer`.
    """
    if run.metrics("test"):
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


def data_of(run: Run, overrides: Sequence[str] = (), trust: Sequence[str] = ()) -> ColorizationData:
    """The data that a run was trained on, where this machine has it.

    Where that is, and whether it may be downloaded, is for the user to say, not for the run.

    Args:
        run: a finished run.
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


def main(
    arguments: Sequence[str],
    split: SplitName = "test",
    weights: str = "best",
    trust: Sequence[str] = (),
) -> None:
    """Score runs and baselines and print the tables, one for each data set.

    Args:
        arguments: run directories, `model=BASELINE[,BASELINE…]`, and overrides of the data.
        split: `val` or `test`.
        weights: `best` or `last`.
        trust: packages of network classes, beside the project's own.

    Raises:
        UserError: see `open_finished`, `data_of` and `compose_jobs`.
    """
    quiet()
    folders = [argument for argument in arguments if "=" not in argument or Path(argument).is_dir()]
    overrides = [argument for argument in arguments if argument not in folders]
    models = [override for override in overrides if override.startswith("model=")]
    data_overrides = [override for override in overrides if override not in models]
    if not folders and not models:
        raise UserError("nothing to evaluate: name run directories, or model=gray_copy")

    # Every table holds all baselines: those that were asked for only add their data's table.
    places = _baseline_data(models, [] if folders else data_overrides)
    runs = [open_finished(folder) for folder in folders]
    if runs:
        places = []
    tables: dict[str, tuple[ColorizationData, dict[str, Metrics]]] = {}

    def table_of(data: ColorizationData) -> tuple[ColorizationData, dict[str, Metrics]]:
        return tables.setdefault(data.split(split).fingerprint, (data, {}))

    todo = [
        (
            name,
            run.colorizer(BEST if weights == "best" else LAST, trust),
            table_of(data_of(run, data_overrides, trust)),
        )
        for run, name in zip(runs, unique_names(runs, taken=(*BASELINES, REAL)), strict=True)
    ]
    for data in places:
        table_of(checked(data))
    for name, colorizer, (data, rows) in todo:
        rows[name] = score(Evaluation(colorizer), data, split, name)
    for data, rows in tables.values():
        say(f"\n{comparison(rows, data, split)}")


def _baseline_data(models: Sequence[str], overrides: Sequence[str]) -> list[ColorizationData]:
    """The data that baselines named on the command line are to be scored on."""
    places = []
    for job in compose_jobs([*models, *overrides], multirun=True) if models else []:
        config = resolved(job.config, ".")
        if not isinstance(build_colorizer(config).network, Baseline):
            name = next(o.partition("=")[2] for o in job.overrides if o.startswith("model="))
            raise UserError(
                f"model={name} has to be trained first: colorizer train model={name}, then "
                f"colorizer evaluate RUN. Without training there are: {', '.join(BASELINES)}"
            )
        places.append(build(config.data))
    return places
