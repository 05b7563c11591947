"""Figures of ranked or random pairs: compared exactly, since every one of the pairs is known.

What a sample says of other pairs is not claimed here.
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
    """A figure of ranked or random pairs: exact for ranked ones, of that sample for random."""

    subject: Subject
    kind: str
    source: str
    """The Python that asks for it."""
    phrase: str
    """The figure as a noun phrase."""
    about: str
    """What a verdict on it is about."""
    columns: Pairs = field(repr=False)
    """The pairs that it is a figure of, in their order."""
    measured: Fraction | None
    relation: Expression | None = None
    """The relation that it is the share of; None of an average of multiples."""
    inside: tuple[bool, ...] = ()
    """Which of the pairs lie in the relation."""

    again: "Callable[[Evidence], PairFigure] | None" = field(default=None, repr=False)
    """Asks other evidence for the same figure; None where nobody could."""

    def measured_by(self, evidence: Evidence) -> "PairFigure":
        """Return the same figure of the same head by other evidence.

        Raises `ClaimError` of one that was made without a way to ask again.
        """
        if self.again is None:
            raise ClaimError(f"{self!r} cannot be asked of other evidence. Ask its head again.")
        return self.again(evidence)

    @property
    def pairs(self) -> int:
        """How many pairs it is a figure of."""
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
        """The figure; raises `NoEligibleRowError` where there are no pairs."""
        if self.measured is None:
            raise NoEligibleRowError(
                f"{self!r} has no pairs to be a figure of: the head has none of that kind in "
                f"{self.subject.evidence.budget_description}. Drop on=, or measure on more "
                "documents."
            )
        return self.measured

    def summary(self, digits: int = 4) -> str:
        """Return the value with its number of pairs."""
        return f"{self.value:.{digits}g} of {self.pairs:,} pair{'' if self.pairs == 1 else 's'}"

    def controls(self) -> list[str]:
        """Return nothing: a sample's control is another sample."""
        return []

    def controls_in_brief(self) -> str:
        """Return nothing."""
        return ""

    def require_comparable(self, other: object) -> None:
        """Raise `ClaimError` for an impossible threshold, or an average over documents."""
        if isinstance(other, float):
            require_in_range(self.kind, other, self.largest)
        elif not isinstance(other, PairFigure):
            raise ClaimError(
                f"{self!r} is a figure of a sample of pairs and {other!r} an average over "
                "documents. Compare a fraction with a fraction, an average with an average."
            )
        else:
            self.require_like(other)

    @property
    def is_share(self) -> bool:
        """Whether the figure is a share, from 0 to 1, rather than a multiple."""
        return self.kind == "fraction"

    @property
    def largest(self) -> float:
        """The largest value that is possible."""
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
        """Return this figure less another, times a factor; exact."""
        difference = float(self.exact - factor * other.exact)
        return Interval(difference, difference, difference)

    def __repr__(self) -> str:
        return self.source
