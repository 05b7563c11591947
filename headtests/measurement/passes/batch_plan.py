"""In which order documents run, in which steps, and in which batches.

From their order and their lengths alone. Running them is `forward`.
"""

from dataclasses import dataclass

import numpy as np

from headtests.statistics.quanta import Int64s

FIRST_STEP = 64
"""Documents of the first step; each step doubles what was run, whatever the batch size."""


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """Which documents run, and in which batches, in one of the two orders: documents, texts."""

    order: Int64s
    """The ids of the whole population; the budget is the first part."""
    extents: tuple[int, ...]
    """Documents that have run after each step."""
    batches: list[tuple[int, ...]]
    """The members of each batch, none of which goes beyond its step."""
    steps: list[int]
    """The number of each batch's step."""

    def between(self, start: int, stop: int) -> list[int]:
        """Return the numbers of the batches of the steps that cover some places."""
        begins = (0, *self.extents[:-1])
        return [
            number
            for number, step in enumerate(self.steps)
            if begins[step] < stop and self.extents[step] > start
        ]


def plan_batches(order: Int64s, lengths: Int64s, budget: int, batch_size: int) -> BatchPlan:
    """Return the steps and batches: within a step, documents of like length together.

    `order` has the ids of the population, and `lengths` each document's tokens by its id.
    """
    extents = [FIRST_STEP]
    while extents[-1] < budget:
        extents.append(2 * extents[-1])
    extents[-1] = budget
    batches: list[tuple[int, ...]] = []
    steps: list[int] = []
    start = 0
    for number, stop in enumerate(extents):
        # The longest first, so that the end of memory shows at once.
        step = order[start:stop]
        step = step[np.argsort(-lengths[step], kind="stable")]
        for first in range(0, len(step), batch_size):
            batches.append(tuple(step[first : first + batch_size].tolist()))
            steps.append(number)
        start = stop
    return BatchPlan(order, tuple(extents), batches, steps)
