"""`colorizer sweep`: `colorizer train -m`."""

from collections.abc import Sequence

from colorizer.commands.train_help import say_help


def main(arguments: Sequence[str]) -> None:
    """Run the jobs of a command line, or the trials of a search.

    Raises:
        UserError, RunError, KeyboardInterrupt: see `run_jobs`.
    """
    if {"-h", "--help"} & set(arguments):
        say_help()
        return
    from colorizer.commands.many_jobs import run_jobs

    run_jobs(arguments)
