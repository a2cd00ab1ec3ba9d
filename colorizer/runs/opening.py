"""Opening runs as commands need them: finished, at a checkpoint of an unfinished one, or many."""

import logging
from collections.abc import Iterable
from pathlib import Path

from omegaconf import OmegaConf

from colorizer.errors import UserError, first_line
from colorizer.runs.checkpoints import read_checkpoint
from colorizer.runs.layout import BEST, LAST, find_runs
from colorizer.runs.run import Run, open_finished, open_run

log = logging.getLogger(__name__)

CHECKPOINTS = {"best": BEST, "last": LAST}


def open_scored(folder: str | Path, weights: str | None = None) -> Run:
    """Open a run whose weights are to be used.

    Args:
        folder: of the run.
        weights: None: the run has to be finished; `best` or `last`: an unfinished one is taken as
            it is, with the validation metrics of that epoch, and a line that says so is logged.

    Raises:
        UserError: see `open_run`; or it is not finished, or has no such checkpoint yet.
    """
    if weights is None:
        return open_finished(folder)
    run = open_run(folder)
    return run if run.state == "finished" else unfinished(run, weights)


def unfinished(run: Run, weights: str) -> Run:
    """An unfinished run as if it had ended at a checkpoint.

    Args:
        run: which keeps its state.
        weights: `best` or `last`.

    Raises:
        UserError: it has no such checkpoint yet, or none that can be read.
    """
    path = run.folder / CHECKPOINTS[weights]
    if not path.is_file():
        raise UserError(f"{run.folder} is {run.state}, and has no {CHECKPOINTS[weights]} yet")
    if "data" not in run.results:
        raise UserError(f"{run.folder} is {run.state}, and does not say what it was trained on")
    content = read_checkpoint(path)
    if "place" not in content:
        raise UserError(f"{path} does not say where the training was")
    epoch, step = content["epoch"], content["global_step"]
    whole = OmegaConf.select(run.config, "trainer.max_epochs")
    of = f" of {whole}" if isinstance(whole, int) and whole > 0 else ""
    log.warning(
        f"{run.folder} is {run.state}, not finished: its {weights} weights are those after step "
        f"{step}, in epoch {epoch + 1}{of}"
    )
    run.results = {
        **run.results,
        **_validated(run, step),
        "weights": CHECKPOINTS[weights],
        "epochs": epoch,
        "steps": step,
        "train/seconds": round(content["place"]["seconds"], 3),
        "note": f"{run.state} after step {step}",
    }
    return run


def _validated(run: Run, step: int) -> dict[str, float]:
    """The validation metrics that were logged last up to a step."""
    rows = [row for row in run.rows() if int(row["step"]) <= step and row.get("val/mse")]
    return {k: float(v) for k, v in rows[-1].items() if k.startswith("val/") and v} if rows else {}


def open_runs(folders: Iterable[Path], weights: str | None = None) -> tuple[list[Run], list[str]]:
    """Open all runs in some folders, themselves included; a damaged one is left out.

    Args:
        folders: run directories, or folders of them.
        weights: see `open_scored`; an unfinished run without such weights is opened as it is.

    Returns:
        The runs, and a line for each that is damaged.

    Raises:
        UserError: a folder that is none, or holds no run.
    """
    runs: dict[Path, Run] = {}
    damaged = []
    for folder in folders:
        below = find_runs(folder) if folder.is_dir() else []
        if not below:
            open_run(folder)  # says what is wrong with it
        for path in below:
            try:
                runs.setdefault(path, _whole(path, weights))
            except UserError as error:
                damaged.append(f"left out: {path} is damaged: {first_line(error)}")
    return list(runs.values()), damaged


def _whole(folder: Path, weights: str | None) -> Run:
    """Open a run, and read what tables and pages are made from.

    Raises:
        UserError: some of it cannot be read.
    """
    run = open_run(folder)
    try:
        for read in (
            lambda: (run.environment, run.results, run.evaluation, run.replicates),
            lambda: (int(run.config.seed), run.config.monitor_mode, run.config.task._target_),
            run.pictures,
            run.history,
        ):
            read()
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{type(error).__name__}: {first_line(error)}") from error
    if weights and run.state not in ("finished", "pruned"):
        try:
            return unfinished(run, weights)
        except UserError as error:
            log.warning(str(error))
    return run


def superseded(runs: Iterable[Run]) -> set[Path]:
    """The folders of a sweep's runs that have a newer run of the same settings beside them."""
    newest: dict[tuple[Path, str], Run] = {}
    older = set()

    def order(run: Run) -> tuple[str, int]:
        name = run.folder.name
        return run.status.get("started", ""), int(name) if name.isdecimal() else -1

    for run in sorted(runs, key=order):
        key = (run.folder.absolute().parent, run.status.get("settings", ""))
        if run.folder.name.isdecimal() and key[1]:
            if key in newest:
                older.add(newest[key].folder)
            newest[key] = run
    return older
