"""Figures of a head that compare: what every figure can do, whatever it is a figure of.

The figures themselves are `headtests.claims.estimate`; the claim that a comparison makes, and how
it is decided when it is asked for, is `headtests.claims.comparison`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from headtests.claims.definitions import Question, RowOptions
from headtests.claims.evidence import Evidence
from headtests.claims.sequential import Reading, Stop
from headtests.claims.verdicts import Decision
from headtests.errors import ClaimError
from headtests.expressions.head_names import HeadName
from headtests.wording import Operator

if TYPE_CHECKING:
    from headtests.claims.comparison import Comparison


@dataclass(frozen=True, eq=False)
class Subject:
    """The head that a quantity is about, and where its evidence comes from."""

    name: HeadName
    evidence: Evidence
    options: RowOptions
    observer: "Callable[[Comparison], None] | None" = None
    """Called once for each comparison, when it is decided."""
    readings: dict[Question, Reading] = field(default_factory=dict)
    """The longest reading of each statistic that was compared or read."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its bounds."""

    value: float
    low: float
    high: float

    @property
    def is_exact(self) -> bool:
        """Whether the bounds are the figure itself."""
        return self.low == self.value == self.high


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a comparison, on the shortest prefix of documents that decided it."""

    decision: Decision
    left: "Quantity"
    right: "Quantity | float"
    difference: Interval | None = None
    """The left side less the right one, of two figures that were read together."""
    course: Callable[[], Sequence[Stop]] = tuple
    """Works out how the interval closed; nothing of figures that are no averages."""
    more_documents: int | None = None
    """How many eligible documents, or texts, more it would about take.

    None where it is decided, and where no number would do.
    """
    remedy: str = ""
    """What would decide an undecided claim."""
    documents_read: int = 0
    """How many documents of the pass were read for it, up to the one that decided."""
    alpha: float | None = None
    """How often such a claim is decided falsely, at most; None for an exact comparison."""
    read_before: bool = False
    """Whether somebody had read a side's figure before it was compared."""


class Quantity(ABC):
    """A figure of a head that compares with a number or with another figure."""

    subject: Subject
    kind: str
    averaged: ClassVar[str] = ""
    """How the figure was averaged, as it stands in a sentence."""

    @property
    @abstractmethod
    def exact(self) -> Fraction:
        """The value as a fraction; raises `NoEligibleRowError` where there is none."""

    @property
    @abstractmethod
    def english(self) -> str:
        """The figure as a noun phrase."""

    @abstractmethod
    def measured_by(self, evidence: Evidence) -> "Quantity":
        """Return the same figure of the same head by other evidence, where nothing is read yet."""

    @abstractmethod
    def basis(self, outcome: Outcome) -> str:
        """Return what a verdict on this figure is about, and how sure it is."""

    @abstractmethod
    def summary(self, digits: int = 4) -> str:
        """Return the value with its interval and n."""

    @abstractmethod
    def controls(self) -> list[str]:
        """Return a line for each figure that the value is to be read beside."""

    @abstractmethod
    def controls_in_brief(self) -> str:
        """Return the same in one line; empty where there is nothing."""

    @property
    @abstractmethod
    def is_share(self) -> bool:
        """Whether the figure is a share, from 0 to 1, rather than a multiple."""

    def require_like(self, other: "Quantity") -> None:
        """Raise `ClaimError` for a figure of another kind, or of other documents."""
        if self.is_share != other.is_share:
            share, multiple = (self, other) if self.is_share else (other, self)
            raise ClaimError(
                f"{share!r} is a share, from 0 to 1, and {multiple!r} a multiple, so that "
                "comparing them claims nothing. Compare a share with a share."
            )
        if other.subject.evidence is not self.subject.evidence:
            raise ClaimError(
                f"{self!r} and {other!r} were measured on different documents or models. Compare "
                "two heads of one model over one corpus."
            )

    @abstractmethod
    def require_comparable(self, other: object) -> None:
        """Raise `ClaimError` where a comparison with a number or quantity claims nothing."""

    @property
    @abstractmethod
    def largest(self) -> float:
        """The largest value that is possible."""

    @abstractmethod
    def settle(
        self, operator: Operator, right: "Quantity | float", factor: Fraction, offset: Fraction
    ) -> Outcome:
        """Read as many documents as it takes to decide `self operator factor * right + offset`."""

    @abstractmethod
    def difference_from(self, other: "Quantity", factor: Fraction) -> Interval:
        """Return this figure less another, times a factor, over the whole budget."""

    @property
    def value(self) -> float:
        """The figure: of the documents that decided a claim, or else of the whole budget."""
        return float(self.exact)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return self.summary()

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)
