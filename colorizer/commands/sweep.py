"""`colorizer train -m`: many jobs from one command line, in a folder that it can go on in."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from colorizer.config import Job, compose_jobs, quoted, resolved, sweeper_of
from colorizer.console import complain, say, show_messages
from colorizer.errors import RunError, UserError
from colorizer.report import write_report
from colorizer.report.summary import Summary
from colorizer.runs import (
    data_content,
    find_runs,
    job_code,
    open_run,
    recorded,
    settings_fingerprint,
)
from colorizer.sweeps.launchers import check_launcher, check_old_sweeper
from colorizer.sweeps.plan import SEARCH, Sweep, WantedJob, check_study
from colorizer.sweeps.run import failure
from colorizer.sweeps.search_space import compose_space

# What says nothing of how a run was trained.
UNNAMED = ("hydra", "logger", "callbacks", "tags", "group", "name", "study", "retry_failed")

# Above so many jobs, what is done before the first begins has a progress bar.
MANY_JOBS = 30


def sweep(
    overrides: list[str],
    config_dir: str | None,
    check: Callable[[Job], None],
    hand_over: Callable[[list[str]], None],
) -> None:
    """Run the jobs of a command line, or the trials of a search.

    Args:
        overrides: of the command line.
        config_dir: more config files.
        check: raises UserError for a job that cannot be trained.
        hand_over: gives overrides to Hydra, which calls the sweeper.

    Raises:
        UserError: before anything is written, whatever can be told by then.
        RunError: a job failed.
        KeyboardInterrupt: SIGINT or SIGTERM.
    """
    show_messages()
    check_old_sweeper()
    target = sweeper_of(overrides, config_dir)._target_
    kind = _search if str(target).endswith(".SearchSweeper") else _grid
    kind(overrides, config_dir, check, hand_over)


def _grid(
    overrides: list[str],
    config_dir: str | None,
    check: Callable[[Job], None],
    hand_over: Callable[[list[str]], None],
) -> None:
    jobs = compose_jobs(overrides, True, config_dir)
    config = jobs[0].config
    check_launcher(config.hydra.launcher)
    varied = _varied(jobs)
    folder = _sweep_folder(config, overrides, varied)
    seen: set[str] = set()
    for job in tqdm(jobs, "checking", disable=len(jobs) < MANY_JOBS, leave=False):
        # Jobs that differ in the seed alone are right or wrong together.
        content = OmegaConf.to_yaml(resolved(job.config, "."))
        without_seed = re.sub(r"^seed: .*$", "", content, flags=re.M)
        if without_seed not in seen:
            check(job)
        seen.add(without_seed)
    place = Sweep(folder)
    if (folder / SEARCH).is_file():
        raise UserError(f"{folder} holds a search, not a grid; study=NAME starts another")
    with place.locked():
        wanted = _wanted(jobs, varied)
        planned = place.plan(wanted, retry_failed=bool(config.retry_failed))
        # The same job twice is one.
        planned = list({job.folder: job for job in planned}.values())
        todo = [job for job in planned if job.state == "waiting"]
        place.write(planned, todo)
        if len(todo) < len(planned):
            say(f"{len(planned) - len(todo)} of {len(planned)} jobs are in {folder} already")
        try:
            if todo:
                hand_over([*overrides, f"hydra.sweep.dir={quoted(str(folder))}"])
        except KeyboardInterrupt:
            _conclude(folder)
            complain(f"\nThe finished jobs are whole in {folder}; {_how_to_go_on(overrides)}.")
            raise
        except BaseException:
            _conclude(folder)
            raise
        _conclude(folder)
        planned, _ = place.read()
    failed = [job for job in planned if job.state not in ("finished", "pruned")]
    if failed:
        lines = "\n".join(f"  {failure(job)}" for job in failed)
        raise RunError(
            f"{len(failed)} of {len(planned)} jobs failed:\n{lines}\n"
            "retry_failed=true with the same command runs them again"
        )


def _wanted(jobs: Sequence[Job], varied: Sequence[str]) -> list[WantedJob]:
    wanted = []
    contents: dict[str, str | None] = {}
    for job in jobs:
        title = _title(job, varied)
        named = [] if "name" in varied else [f"name={quoted(title)}"]
        data = OmegaConf.to_yaml(job.config.data, resolve=True)
        if data not in contents:
            contents[data] = data_content(job.config)
        written = recorded(job.config)
        settings = settings_fingerprint(written, contents[data])
        wanted.append(WantedJob([*job.overrides, *named], title, settings, job_code(written)))
    return wanted


def _search(
    overrides: list[str],
    config_dir: str | None,
    check: Callable[[Job], None],
    hand_over: Callable[[list[str]], None],
) -> None:
    """Run the trials that a search's folder does not hold yet, and test the best."""
    from colorizer.sweeps.search import Search  # needs Optuna
    from colorizer.sweeps.search_settings import SearchSettings
    from colorizer.sweeps.search_setup import set_up

    space = compose_space(overrides, config_dir)
    config = space.sample.config
    options: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    known = {key: value for key, value in options.items() if key not in ("_target_", "params")}
    settings = SearchSettings(**known)
    check_launcher(config.hydra.launcher)
    check(space.sample)
    folder = _sweep_folder(config, overrides, list(space.swept))
    set_up(folder, space)
    try:
        hand_over([*overrides, f"hydra.sweep.dir={quoted(str(folder))}"])
    except KeyboardInterrupt:
        say(Search.open(folder, settings).text())
        complain(f"\nThe trials so far are in {folder}; {_how_to_go_on(overrides)}.")
        raise
    search = Search.open(folder, settings)
    search.test_best()
    _conclude(folder)
    say(search.text())
    if search.failed:
        lines = "\n".join(f"  {line}" for line in search.failed)
        raise RunError(f"{len(search.failed)} trials failed:\n{lines}")


def _sweep_folder(config: DictConfig, overrides: Sequence[str], varied: Sequence[str]) -> Path:
    """Where a sweep goes: below outputs/ by its study's name, unless the command line says else."""
    if config.study is None or any(o.startswith("hydra.sweep.dir=") for o in overrides):
        return Path(config.hydra.sweep.dir)
    if "study" in varied:
        raise UserError("study has several values: it is the name of the whole sweep")
    check_study(config.study)
    return Path("outputs") / config.study


def _how_to_go_on(overrides: Sequence[str]) -> str:
    if any(o.startswith(("study=", "hydra.sweep.dir=")) for o in overrides):
        return "the same command goes on from there"
    return "the same command with study=NAME would have gone on from there"


def _varied(jobs: Sequence[Job]) -> list[str]:
    """The keys in which jobs differ, by their overrides."""
    values: dict[str, set[str]] = {}
    for job in jobs:
        for override in job.overrides:
            key, _, value = override.lstrip("+~").partition("=")
            values.setdefault(key, set()).add(value)
    return [key for key, found in values.items() if len(found) > 1]


def _title(job: Job, varied: Sequence[str]) -> str:
    """What tells a job of a sweep from the others."""
    own = [o for o in job.overrides if o.partition("=")[0].lstrip("+~") in varied]
    if job.config.name and "name" not in varied:
        # An experiment file's name says more than the file's.
        rest = describe([o for o in own if not o.startswith("experiment=")])
        return str(job.config.name) if rest == "default" else f"{job.config.name}, {rest}"
    return describe(own or job.overrides)


def describe(overrides: Sequence[str]) -> str:
    """A run's name from what the command line changed: `cnn, lr=0.01, seed=1`."""
    parts = []
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if key.split(".")[0] in UNNAMED or key == "data.root":
            continue
        last = key.rpartition(".")[2]
        parts.append(value if key in ("model", "experiment") else f"{last}={value}")
    return ", ".join(parts) or "default"


def _conclude(folder: Path) -> None:
    """Tables, report and picture of the jobs of a multirun, whatever became of them."""
    try:
        summary = Summary([open_run(path) for path in find_runs(folder)])
        if summary.finished:
            say()
            write_report(summary, folder / "report.html")
    except (UserError, OSError) as error:  # what the jobs came to is the more important
        complain(f"no report: {error}")
