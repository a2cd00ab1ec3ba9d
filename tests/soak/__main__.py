"""`python -m tests.soak kills|disks|jobs`: the long tests, which pytest does not collect."""

import argparse
import gc
import math
import os
import sys
import tempfile
from pathlib import Path

from colorizer.console import say
from tests.soak.processes import ONE_THREAD


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.soak", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    kills = commands.add_parser("kills", help="kill commands at random times, and compare bits")
    kills.add_argument("--kills", type=int, default=1000)
    kills.add_argument("--minutes", type=float, default=math.inf, help="begin nothing later")
    kills.add_argument("--seed", type=int, default=0)
    kills.add_argument("--only", action="append", default=[], help="a pattern: 'train*'")
    kills.add_argument("--fresh", type=float, default=0.05, help="share of starts without a fork")
    kills.add_argument("--most", type=int, default=15, help="so often the same case")
    kills.add_argument("--case", type=int, help="this one of each command, as a failure named it")
    jobs = commands.add_parser("jobs", help="many jobs in one process, whose memory stays flat")
    jobs.add_argument("--jobs", type=int, default=500)
    disks = commands.add_parser("disks", help="full disks under commands, as root")
    disks.add_argument("--times", type=int, default=40)
    disks.add_argument("--seed", type=int, default=0)
    for command in (kills, disks, jobs):
        command.add_argument("--folder", type=Path, help="for the runs; default: a temporary one")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    # What is installed may be another checkout than the one that is tested.
    root, cache = Path(__file__).parents[2], folder.absolute() / "cache"
    os.environ.update(ONE_THREAD, XDG_CACHE_HOME=str(cache), PYTHONPATH=str(root))
    run = {"kills": _kills, "disks": _disks, "jobs": _jobs}[options.command]
    return run(options, folder.absolute())


def _kills(options: argparse.Namespace, folder: Path) -> int:
    from tests.soak.kills import Campaign, runnable
    from tests.soak.processes import prepare_to_fork

    prepare_to_fork(folder / "prepared")
    campaign = Campaign(folder, options.seed, options.fresh, options.most)
    try:
        if options.case is None:
            campaign.run(runnable(options.only), options.kills, options.minutes)
        else:
            for name in runnable(options.only):
                campaign.case(name, options.case)
    finally:
        say(campaign.table())
        gc.unfreeze()
    return int(campaign.failed)


def _disks(options: argparse.Namespace, folder: Path) -> int:
    from tests.soak.disks import fill_disks
    from tests.soak.processes import prepare_to_fork

    prepare_to_fork(folder / "prepared")
    return fill_disks(options.times, folder, options.seed)


def _jobs(options: argparse.Namespace, folder: Path) -> int:
    from tests.soak.jobs import watch_jobs

    return watch_jobs(options.jobs, folder)


if __name__ == "__main__":
    sys.exit(main())
