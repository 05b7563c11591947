"""Figures of ranked or random pairs: compared exactly, since all of the pairs are known.

A verdict is about these pairs only; nothing is inferred about other pairs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from headtests.claims.arithmetic import ComparableQuantity
from headtests.claims.evidence import Evidence
from headtests.claims.numbers import decimal, require_in_range
from headtests.claims.quantity import Interval, Outcome, Quantity, Subject
from headtests.claims.verdicts import decide_exactly
from headtests.errors import ClaimError, NoEligibleRowError
from headtests.expressions import Expression
from headtests.statistics.sketches import Pairs
from headtests.wording import Operator


@dataclass(frozen=True, eq=False, repr=False)
class PairFigure(ComparableQuantity):
    """A figure of ranked or random pairs; for random pairs, a figure of that sample only.

    >>> top = head.ranked_multiples(50).fraction(ht.previous)
    >>> top.pairs, bool(top >= 0.9)
    (50, True)
    """

    subject: Subject
    kind: str
    source: str
    """The figure as Python."""
    phrase: str
    """The figure as a noun phrase."""
    about: str
    """What a verdict on it is about."""
    columns: Pairs = field(repr=False)
    """The pairs, in their order."""
    measured: Fraction | None
    """The value; None without pairs."""
    relation: Expression | None = None
    """The relation of a fraction; None for a mean or median of multiples."""
    inside: tuple[bool, ...] = ()
    """Which of the pairs lie in the relation."""
    again: "Callable[[Evidence], PairFigure] | None" = field(default=None, repr=False)
    """Measures the same figure on other evidence; None if that is not possible."""

    def on_evidence(self, evidence: Evidence) -> "PairFigure":
        """Return the same figure of the same head, measured on other evidence.

        Raises `ClaimError` if it was made without `again`.
        """
        if self.again is None:
            raise ClaimError(
                f"{self!r} cannot be measured on other evidence. Call the method of its head again."
            )
        return self.again(evidence)

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return len(self.columns)

    @property
    def english(self) -> str:
        """The figure as a noun phrase."""
        return self.phrase

    def basis(self, outcome: Outcome) -> str:
        """Return what a verdict on this figure is about."""
        return self.about

    @property
    def exact(self) -> Fraction:
        """The value as a fraction; raises `NoEligibleRowError` without pairs."""
        if self.measured is None:
            raise NoEligibleRowError(
                f"{self!r} has no value: the head has no such pairs in "
                f"{self.subject.evidence.budget_description}. Drop on=, or measure on more "
                "documents."
            )
        return self.measured

    def summary(self, digits: int = 4) -> str:
        """Return the value with its number of pairs."""
        return f"{self.value:.{digits}g} of {self.pairs:,} pair{'' if self.pairs == 1 else 's'}"

    def controls(self) -> list[str]:
        """Return an empty list: the control of a sample is another sample."""
        return []

    def controls_in_brief(self) -> str:
        """Return an empty string."""
        return ""

    def require_comparable(self, other: object) -> None:
        """Raise `ClaimError` for an impossible threshold, or an average over documents."""
        if isinstance(other, float):
            require_in_range(self.kind, other, self.largest)
        elif not isinstance(other, PairFigure):
            raise ClaimError(
                f"{self!r} is a figure of a sample of pairs and {other!r} is an average over "
                "documents. Compare a fraction with a fraction, or an average with an average."
            )
        else:
            self.require_like(other)

    @property
    def is_share(self) -> bool:
        """Whether the figure is a share in [0, 1], and not a multiple."""
        return self.kind == "fraction"

    @property
    def largest(self) -> float:
        """The largest possible value."""
        return 1.0 if self.is_share else math.inf

    def settle(
        self, operator: Operator, right: Quantity | float, factor: Fraction, offset: Fraction
    ) -> Outcome:
        """Compare `self operator factor * right + offset` exactly."""
        bound = right.exact * factor + offset if isinstance(right, Quantity) else decimal(right)
        decision = decide_exactly(self.exact, operator, bound)
        extents = self.subject.evidence.extents(False)
        return Outcome(decision, self, right, documents_read=extents[-1])

    def difference_from(self, other: Quantity, factor: Fraction) -> Interval:
        """Return `self - factor * other`, exactly."""
        difference = float(self.exact - factor * other.exact)
        return Interval(difference, difference, difference)

    def __repr__(self) -> str:
        return self.source
