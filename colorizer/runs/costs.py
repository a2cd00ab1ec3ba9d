"""What runs have cost, from their records."""

from colorizer.costs import together
from colorizer.runs.run import Run

PREFIX = "cost/"


def cost_of(run: Run) -> dict[str, float]:
    """What a run has cost so far, see `colorizer.costs`; empty for records from before it was kept.

    Of one that did not come to its end, up to where it last saved its state.
    """
    told = {
        key.removeprefix(PREFIX): float(value)
        for key, value in run.results.items()
        if key.startswith(PREFIX) and value is not None
    }
    return told or together(sitting.get("cost", {}) for sitting in run.status.get("sittings", ()))
