"""The evaluation: believable colour beside fidelity, with confidence intervals.

`images` scores every image by itself, `summary` makes numbers and intervals of that, `references`
has the rows that colorizers are compared with, `draws`, `controls` and `ensemble` make more rows,
`learned_2afc` asks discriminators, `board` makes tables, `subjects` opens what is scored.
"""

from colorizer.evaluation.board import Scoreboard
from colorizer.evaluation.references import BASELINES, References, evaluate, reference_rows
from colorizer.evaluation.runs import test_run
from colorizer.evaluation.subjects import data_of

__all__ = [
    "BASELINES",
    "References",
    "Scoreboard",
    "data_of",
    "evaluate",
    "reference_rows",
    "test_run",
]
