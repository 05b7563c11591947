"""The order in which documents run, the steps of a pass, and the batches of each step.

Computed from the order and the lengths of documents alone. `runner` runs the batches.
"""

from dataclasses import dataclass

import numpy as np

from headtests.statistics.quanta import Int64s

FIRST_STEP = 64
"""Documents of the first step. Each step doubles the number of documents, at any batch size."""


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """The batches of a pass, in one of its two orders: by document or by text."""

    order: Int64s
    """Ids of all documents of the population, shape `[documents]`; the budget is a prefix."""
    extents: tuple[int, ...]
    """The number of documents that have run after each step."""
    batches: list[tuple[int, ...]]
    """The document ids of each batch. No batch spans two steps."""
    steps: list[int]
    """The number of each batch's step."""

    def between(self, start: int, stop: int) -> list[int]:
        """Return the numbers of the batches of all steps that overlap `[start, stop)`.

        `start` and `stop` are positions in the order.
        """
        begins = (0, *self.extents[:-1])
        return [
            number
            for number, step in enumerate(self.steps)
            if begins[step] < stop and self.extents[step] > start
        ]


def plan_batches(order: Int64s, lengths: Int64s, budget: int, batch_size: int) -> BatchPlan:
    """Return the steps and batches; within a step, documents of similar length share a batch.

    `order` has the ids of the population, shape `[documents]`, and `lengths` the number of tokens
    of each document, indexed by id.
    """
    extents = [FIRST_STEP]
    while extents[-1] < budget:
        extents.append(2 * extents[-1])
    extents[-1] = budget
    batches: list[tuple[int, ...]] = []
    steps: list[int] = []
    start = 0
    for number, stop in enumerate(extents):
        # The longest first, so that running out of memory shows at once.
        step = order[start:stop]
        step = step[np.argsort(-lengths[step], kind="stable")]
        for first in range(0, len(step), batch_size):
            batches.append(tuple(step[first : first + batch_size].tolist()))
            steps.append(number)
        start = stop
    return BatchPlan(order, tuple(extents), batches, steps)
