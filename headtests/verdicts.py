"""What the evidence says of a claim: it holds, is refuted, or stays undecided.

Exact fractions in, a verdict out. Here a claim is decided by the average over every document of
the budget, so `undecided` does not arise; nothing here knows how figures were measured.
"""

import operator
from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction

from headtests.claims import Operator

_COMPARES: dict[Operator, Callable[[Fraction, Fraction], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}


class Verdict(StrEnum):
    """What became of a claim."""

    HOLDS = "holds"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


def decide(left: Fraction, comparison: Operator, right: Fraction) -> Verdict:
    """Return whether an exact comparison of two figures holds.

    >>> decide(Fraction(3, 4), ">=", Fraction(3, 4)).value
    'holds'
    """
    return Verdict.HOLDS if _COMPARES[comparison](left, right) else Verdict.REFUTED
