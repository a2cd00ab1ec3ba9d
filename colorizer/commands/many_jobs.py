"""Many jobs from one command line: a grid, or a search."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from colorizer import signals
from colorizer.commands.job import hand_over
from colorizer.commands.report import say_report
from colorizer.config import Job, compose_jobs, is_search, quoted, resolved
from colorizer.console import complain, say
from colorizer.errors import RunError, UserError
from colorizer.preflight import check
from colorizer.quiet import quiet
from colorizer.report import Summary
from colorizer.runs import (
    data_content,
    job_code,
    open_runs,
    recorded,
    settings_fingerprint,
)
from colorizer.runs.names import describe
from colorizer.sweeps.launchers import check_launcher, check_old_sweeper
from colorizer.sweeps.plan import PENDING, SEARCH, PlannedJob, Sweep, WantedJob, check_study
from colorizer.sweeps.run import failure
from colorizer.sweeps.search_space import compose_space

# From so many jobs on, what is done before the first begins has a progress bar.
MANY_JOBS = 30


@dataclass
class _Request:
    """A command line that asks for several jobs."""

    overrides: list[str]
    config_dir: str | None
    flags: list[str]

    def hand_over(self, folder: Path) -> None:
        """Let Hydra's sweeper run the jobs that were planned in a folder."""
        place = f"hydra.sweep.dir={quoted(str(folder))}"
        hand_over(["-m", *self.overrides, place, *self.flags])

    @property
    def how_to_go_on(self) -> str:
        if any(o.startswith(("study=", "hydra.sweep.dir=")) for o in self.overrides):
            return "the same command goes on from there"
        return "the same command with study=NAME would have gone on from there"


def run_jobs(arguments: Sequence[str]) -> None:
    """Run the jobs of a command line, or the trials of a search.

    Raises:
        UserError: before anything is written, whatever can be told by then.
        RunError: a job failed.
        KeyboardInterrupt: SIGINT or SIGTERM.
    """
    quiet()
    signals.install()
    options = get_args_parser().parse_intermixed_args(list(arguments))
    if options.cfg or options.info:
        hand_over(["-m", *arguments])
        return
    flags = [a for a in arguments if a not in (*options.overrides, "-m", "--multirun")]
    request = _Request(options.overrides, options.config_dir, flags)
    check_old_sweeper()
    (_search if is_search(request.overrides, request.config_dir) else _grid)(request)


def _grid(request: _Request) -> None:
    jobs = compose_jobs(request.overrides, True, request.config_dir)
    config = jobs[0].config
    check_launcher(config.hydra.launcher)
    varied = _varied(jobs)
    folder = _sweep_folder(config, request.overrides, varied)
    _check_all(jobs)
    if (folder / SEARCH).is_file():
        raise UserError(f"{folder} holds a search, not a grid; study=NAME starts another")
    sweep = Sweep(folder)
    with sweep.locked():
        planned = sweep.plan(_wanted(jobs, varied), retry_failed=bool(config.retry_failed))
        # The same job twice is one.
        planned = list({job.folder: job for job in planned}.values())
        todo = [job for job in planned if job.state in PENDING]
        sweep.write(planned, todo)
        if len(todo) < len(planned):
            say(f"{len(planned) - len(todo)} of {len(planned)} jobs are in {folder} already")
        try:
            if todo:
                request.hand_over(folder)
        except KeyboardInterrupt:
            _conclude(folder)
            complain(f"\nThe finished jobs are complete in {folder}; {request.how_to_go_on}.")
            raise
        except BaseException:
            _conclude(folder)
            raise
        _conclude(folder)
        _check_ends(sweep.read()[0])


def _check_all(jobs: Sequence[Job]) -> None:
    """Raise UserError for a job that cannot be trained."""
    seen: set[str] = set()
    for job in tqdm(jobs, "checking", disable=len(jobs) < MANY_JOBS, leave=False):
        # Jobs that differ in the seed alone are right or wrong together.
        content = OmegaConf.to_yaml(resolved(job.config, "."))
        without_seed = re.sub(r"^seed: .*$", "", content, flags=re.M)
        if without_seed not in seen:
            check(job.config, multirun=True)
        seen.add(without_seed)


def _wanted(jobs: Sequence[Job], varied: Sequence[str]) -> list[WantedJob]:
    """The jobs for `Sweep.plan`; data that several share is read once."""
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


def _check_ends(jobs: Sequence[PlannedJob]) -> None:
    """Raise RunError, with a line for each, where jobs did not finish."""
    failed = [job for job in jobs if job.state not in ("finished", "pruned")]
    if failed:
        lines = "\n".join(f"  {failure(job)}" for job in failed)
        raise RunError(
            f"{len(failed)} of {len(jobs)} jobs failed:\n{lines}\n"
            "retry_failed=true with the same command runs them again"
        )


def _search(request: _Request) -> None:
    """Run the trials that a search's folder does not hold yet, and test the best."""
    from colorizer.sweeps.race import Race
    from colorizer.sweeps.search import Search  # imports Optuna
    from colorizer.sweeps.search_results import search_text
    from colorizer.sweeps.search_settings import SearchSettings
    from colorizer.sweeps.search_setup import set_up

    space = compose_space(request.overrides, request.config_dir)
    config = space.sample.config
    options: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    known = {key: value for key, value in options.items() if key not in ("_target_", "params")}
    settings = SearchSettings(**known)
    check_launcher(config.hydra.launcher)
    check(config, multirun=True)
    folder = _sweep_folder(config, request.overrides, list(space.swept))
    set_up(folder, space, settings)
    try:
        request.hand_over(folder)
    except KeyboardInterrupt:
        say(search_text(Search.open(folder, settings)))
        complain(f"\nThe trials so far are in {folder}; {request.how_to_go_on}.")
        raise
    search = Search.open(folder, settings)
    race = Race(search)
    if settings.seeds == 1:
        search.test_best()
    elif race.over(settings.seeds):
        race.test_winner()
    _conclude(folder)
    say(search_text(search))
    if failed := [*search.failed, *race.failed]:
        lines = "\n".join(f"  {line}" for line in failed)
        raise RunError(f"{len(failed)} trials failed:\n{lines}")


def _sweep_folder(config: DictConfig, overrides: Sequence[str], varied: Sequence[str]) -> Path:
    """The folder of a sweep: outputs/STUDY, unless the command line says otherwise."""
    if config.study is None or any(o.startswith("hydra.sweep.dir=") for o in overrides):
        return Path(config.hydra.sweep.dir)
    if "study" in varied:
        raise UserError("study has several values: it is the name of the whole sweep")
    check_study(config.study)
    return Path("outputs") / config.study


def _varied(jobs: Sequence[Job]) -> list[str]:
    """The keys in which jobs differ, by their overrides."""
    values: dict[str, set[str]] = {}
    for job in jobs:
        for override in job.overrides:
            key, _, value = override.lstrip("+~").partition("=")
            values.setdefault(key, set()).add(value)
    return [key for key, found in values.items() if len(found) > 1]


def _title(job: Job, varied: Sequence[str]) -> str:
    """The settings that tell a job of a sweep from the others."""
    own = [o for o in job.overrides if o.partition("=")[0].lstrip("+~") in varied]
    if job.config.name and "name" not in varied:
        # An experiment file's name says more than the file's.
        rest = describe([o for o in own if not o.startswith("experiment=")])
        return str(job.config.name) if rest == "default" else f"{job.config.name}, {rest}"
    return describe(own or job.overrides)


def _conclude(folder: Path) -> None:
    """Tables, report and picture of the jobs of a multirun, whatever became of them."""
    try:
        summary = Summary(*open_runs([folder]))
        if summary.finished:
            say()
            say_report(summary, folder / "report.html")
    except (UserError, OSError) as error:  # what the jobs came to is the more important
        complain(f"no report: {error}")
