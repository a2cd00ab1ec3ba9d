"""Learning rate schedules as functions of the optimizer and the run's length.

`torch.optim.lr_scheduler.OneCycleLR` has this form already and is used as it is.
"""

import math
from typing import Annotated

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from colorizer.ranges import Range


def constant(optimizer: Optimizer, total_steps: int) -> LRScheduler:
    """The optimizer's own learning rate from the first to the last step."""
    return LambdaLR(optimizer, lambda step: 1.0)


def cosine(
    optimizer: Optimizer, total_steps: int, warmup: Annotated[float, Range(0, 1, below=True)] = 0.0
) -> LRScheduler:
    """Linear warm-up, then half a cosine down to 0.

    Args:
        optimizer: its learning rate is the highest one.
        total_steps: optimizer steps of the run.
        warmup: share of the steps, in [0, 1).
    """
    if not 0 <= warmup < 1:
        raise ValueError(f"scheduler.warmup={warmup}: in [0, 1)")
    rising = round(warmup * total_steps)

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / (rising + 1)
        done = (step - rising) / max(1, total_steps - rising)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    return LambdaLR(optimizer, factor)
