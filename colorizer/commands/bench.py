"""`colorizer bench`: what the framework costs."""

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> None:
    """Measure, print a table and write the numbers as JSON.

    Raises:
        UserError: too few repetitions, or an output that cannot be written.
    """
    parser = argparse.ArgumentParser(
        "colorizer bench",
        description="Compare the training loop with a bare PyTorch loop over the same network, and "
        "the data path with torchvision's per-sample transforms, and measure what a job of a sweep "
        "takes beside its training. Medians of interleaved repetitions; writes outputs/bench.json.",
        epilog="examples:\n  colorizer bench\n  colorizer bench --repetitions 9 -o bench.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repetitions", type=int, default=5, help="of each measurement (5)")
    parser.add_argument("-o", "--output", default="outputs/bench.json")
    options = parser.parse_args(arguments)
    from colorizer.benchmark import TITLES, measure
    from colorizer.console import say, text_table
    from colorizer.errors import UserError
    from colorizer.files import write_json
    from colorizer.quiet import quiet

    if options.repetitions < 1:
        raise UserError(f"--repetitions {options.repetitions}: at least 1")
    quiet()
    results, rows = measure(options.repetitions)
    overhead = results["sweep_overhead_s"]
    say(f"\n{results['images']}; medians of {options.repetitions} interleaved repetitions\n")
    say(text_table(TITLES, rows))
    say(f"\na job of a sweep takes {overhead:.2f} s beside its training; at most 1 s")
    path = Path(options.output)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, results)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    say(f"\nwritten   {path}")
