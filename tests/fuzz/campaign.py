"""A campaign: inputs by their seeds, and what became of them."""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from colorizer.console import text_table
from colorizer.errors import RunError, UserError
from tests.fuzz import configs, inputs, readers, strangers
from tests.fuzz.bench import Bench

Kind = Callable[[Random, Bench], None]

# Of 100 inputs: the fewer, the longer they take, so that 100,000 take a quarter of an hour.
SHARES: dict[Kind, int] = {
    configs.value_of_a_key: 8,
    configs.command_line: 1,
    configs.config_file: 1,
    configs.study_file: 3,
    readers.json_of_a_run: 8,
    readers.other_file_of_a_run: 3,
    readers.config_of_a_run: 3,
    readers.checkpoint: 2,
    readers.weights: 14,
    readers.judge: 12,
    readers.sweep: 15,
    inputs.images: 20,
    inputs.arguments: 4,
    strangers.target: 6,
}
# What refuses an input; of `load` and the colorizer, ValueError does too.
REFUSALS = (UserError, RunError)
COLUMNS = ("tried", "refused", "accepted", "tracebacks", "hangs", "memory", "executions")


@dataclass
class Tally:
    """Counts by kind of input and by what became of it."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, kind: str, outcome: str) -> None:
        """Count an input."""
        self.counts[kind, "tried"] += 1
        self.counts[kind, outcome] += 1

    @property
    def failures(self) -> int:
        """Inputs that were neither refused nor accepted."""
        return sum(self.total(column) for column in COLUMNS[3:])

    def total(self, column: str) -> int:
        """The sum of a column."""
        return sum(count for (_, outcome), count in self.counts.items() if outcome == column)

    def table(self) -> str:
        """A row for each kind, and their sum."""
        rows = [
            [kind.__name__, *(self.counts[kind.__name__, column] for column in COLUMNS)]
            for kind in SHARES
        ]
        sums = ["all", *(self.total(column) for column in COLUMNS)]
        return text_table(["kind of input", *COLUMNS], [*rows, sums])


def kind_of(random: Random) -> Kind:
    """The kind of the input of a seed."""
    return random.choices(list(SHARES), list(SHARES.values()))[0]


def attempt(kind: Kind, random: Random, bench: Bench) -> tuple[str, str]:
    """Try an input; return its outcome, and for a failure what is to be known of it."""
    bench.note = ""
    expected = REFUSALS
    if kind in (inputs.images, inputs.arguments):
        expected = (*REFUSALS, ValueError)  # type: ignore[assignment]
    outcome, error = "accepted", ""
    with bench.watched() as found:
        try:
            kind(random, bench)
        except expected:
            outcome = "refused"
        except Exception:
            outcome, error = "tracebacks", traceback.format_exc()
    for what in found:
        names = {"hang": "hangs", "memory": "memory", "execution": "executions"}
        outcome, error = names[what.partition(":")[0]], f"{what}\n{error}"
    return outcome, f"{bench.note}\n{error}" if error else ""
