"""The figures of a claim on a number of documents that was fixed before anything was measured.

Where reading stopped depends on the figures, so those of several runs do not compare; these do.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from headtests.claims.comparison import Comparison
from headtests.claims.estimate import Estimate
from headtests.claims.quantity import Interval
from headtests.claims.sequential import (
    PairedReading,
    Reading,
    read_in_steps,
    read_pair_in_steps,
)

Read = TypeVar("Read", Reading, PairedReading)


def on_fixed_documents(
    claim: Comparison, units: int
) -> tuple[list[Estimate], Interval | None] | None:
    """Return a claim's one or two statistics, and their difference, on its first documents.

    These are the first `units` eligible documents, or texts, or all of them if there are fewer in
    the budget. More documents run if the claim was decided by fewer. None for figures of pairs, and
    for documents without a value.
    """
    left, right = claim.left, claim.right
    evidence = claim.left.subject.evidence
    if not isinstance(left, Estimate):
        return None
    if not isinstance(right, Estimate):
        reading = _first(read_in_steps(evidence, left.question), units)
        return None if reading is None else ([replace(left, given=reading)], None)
    pair = _first(read_pair_in_steps(evidence, left.question, right.question), units)
    if pair is None:
        return None
    sides = [replace(left, given=pair.left), replace(right, given=pair.right)]
    return sides, Interval(*pair.difference(claim.factor, evidence.alpha))


def _first(readings: Iterable[Read], units: int) -> Read | None:
    found = None
    for reading in readings:
        found = reading.first(units)
        if len(found) == units:
            break
    return found if found is not None and found.has_value else None
