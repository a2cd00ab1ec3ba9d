"""`python -m tests.fuzz N`: N wrong inputs, and a table of what became of them."""

import argparse
import logging
import multiprocessing
import sys
import tempfile
import time
import warnings
from pathlib import Path
from random import Random
from typing import Any

import torch

from tests.fuzz.bench import Bench, limit_memory, silence
from tests.fuzz.campaign import Tally, attempt, kind_of


def main() -> int:
    """Run a campaign, or one of its inputs again; 1 if anything but a refusal came of it."""
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("inputs", nargs="?", type=int, default=1000, help="how many (1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--seed", type=int, help="try the input of this seed alone")
    parser.add_argument("--workers", type=int, default=1, choices=(1, 2))
    options = parser.parse_args()
    if options.seed is not None:
        options.first, options.inputs = options.seed, 1
    seeds = range(options.first, options.first + options.inputs)
    started = time.monotonic()
    if options.workers == 1:
        tally = try_all(seeds)
    else:
        shares = [seeds[worker :: options.workers] for worker in range(options.workers)]
        with multiprocessing.get_context("fork").Pool(options.workers) as pool:
            tally = Tally()
            for part in pool.imap_unordered(try_all, shares):
                tally.counts += part.counts
    minutes = (time.monotonic() - started) / 60
    say(f"{tally.table()}\n\nseeds {seeds[0]} to {seeds[-1]}, {minutes:.1f} minutes")
    return int(tally.failures > 0)


def try_all(seeds: range) -> Tally:
    """Try the inputs of some seeds, and say what went wrong."""
    torch.set_num_threads(1)
    limit_memory()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "bench")
        silence()
        for number, seed in enumerate(seeds, start=1):
            random = Random(seed)
            kind = kind_of(random)
            outcome, what = attempt(kind, random, bench)
            tally.add(kind.__name__, outcome)
            if what:
                say(
                    f"{outcome}: {kind.__name__}, python -m tests.fuzz --seed {seed}\n{what[:6000]}"
                )
            if number % 5000 == 0:
                say(f"{number} of {len(seeds)} inputs, {tally.failures} failures")
    return tally


def say(text: Any) -> None:
    """Print, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
