"""A run beside what was made of it again."""

from dataclasses import dataclass
from functools import cached_property

from colorizer.report import Section, differences, metric_rows
from colorizer.runs import BEST, Run, read_checkpoint


@dataclass
class Comparison:
    """What is the same of a run and of its reproduction, to the last bit.

    Args:
        run: the one on record.
        again: the other.
    """

    run: Run
    again: Run

    @cached_property
    def sections(self) -> list[Section]:
        """What differs, see `colorizer.report.differences`; not what it has cost."""
        parts = differences(self.run, self.again, ("record", "again"))
        return [part for part in parts if part.title != "cost"]

    @cached_property
    def metrics(self) -> dict[str, bool]:
        """Every metric that a training ends with, and whether it has the same bits."""
        again = self.again.numbers
        rows = metric_rows(self.run, self.again)
        return {key: alike for key, _, alike in rows if key in again}

    @property
    def not_made(self) -> list[str]:
        """Metrics on record that a training does not end with, such as those of judges."""
        return sorted({key for key, _, _ in metric_rows(self.run, self.again)} - {*self.metrics})

    @property
    def history(self) -> bool | None:
        """Whether all metrics over time have the same bits; None where there are none."""
        before, after = self.run.rows(), self.again.rows()
        return before == after if before and after else None

    @property
    def weights(self) -> bool | None:
        """Whether the best weights have the same bits; None for a record without."""
        if not (self.run.folder / BEST).is_file():
            return None
        one, other = (
            read_checkpoint(r.folder / BEST)["state_dict"] for r in (self.run, self.again)
        )
        return one.keys() == other.keys() and all(bool((one[k] == other[k]).all()) for k in one)

    @property
    def exact(self) -> bool:
        """True if nothing that was compared differs in a bit."""
        return all(self.metrics.values()) and False not in (self.history, self.weights)
