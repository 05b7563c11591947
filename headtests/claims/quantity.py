"""The base class of figures that can be compared, and the outcome of a comparison.

The figures themselves are `headtests.claims.estimate` and `headtests.claims.pair_figure`; the
claim that a comparison makes is `headtests.claims.comparison`.
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
from headtests.statistics import MoreDocuments
from headtests.wording import Operator

if TYPE_CHECKING:
    from headtests.claims.comparison import Comparison


@dataclass(frozen=True, eq=False)
class Subject:
    """The head that a quantity is about, and its evidence."""

    name: HeadName
    evidence: Evidence
    options: RowOptions
    observer: "Callable[[Comparison], None] | None" = None
    """Called once for each comparison, after it is decided."""
    readings: dict[Question, Reading] = field(default_factory=dict)
    """The longest reading so far of each statistic."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its bounds."""

    value: float
    low: float
    high: float

    @property
    def is_exact(self) -> bool:
        """Whether both bounds equal the figure."""
        return self.low == self.value == self.high


@dataclass(frozen=True, slots=True)
class AfterStop:
    """An estimate that does not depend on where reading stopped, so that it is not biased."""

    value: float
    """The figure, or the difference of two."""
    units: int
    """Number of eligible documents, or texts, after the stop that it was made from."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of a comparison, on the shortest prefix of documents that decided it."""

    decision: Decision
    left: "Quantity"
    right: "Quantity | float"
    difference: Interval | None = None
    """Left side minus right side, of two figures on the same documents."""
    after_stop: AfterStop | None = None
    """An unbiased estimate, from documents read after the one that decided; None without any."""
    course: Callable[[], Sequence[Stop]] = tuple
    """Returns how the interval narrowed; empty for figures of pairs."""
    more_documents: MoreDocuments | None = None
    """About how many more eligible documents, or texts, would decide the claim.

    None if it is decided, or if no number would decide it.
    """
    remedy: str = ""
    """What would decide an undecided claim."""
    documents_read: int = 0
    """Documents of the pass that were read, up to the one that decided."""
    alpha: float | None = None
    """Maximum rate of false decisions; None for an exact comparison."""
    read_before: bool = False
    """Whether the user read a side's value before the comparison."""


class Quantity(ABC):
    """A figure of a head that compares with a number or with another figure."""

    subject: Subject
    kind: str
    averaged: ClassVar[str] = ""
    """How the figure was averaged, as a phrase of a sentence."""

    @property
    @abstractmethod
    def exact(self) -> Fraction:
        """The value as a fraction; raises `NoEligibleRowError` if there is none."""

    @property
    @abstractmethod
    def english(self) -> str:
        """The figure as a noun phrase."""

    @abstractmethod
    def on_evidence(self, evidence: Evidence) -> "Quantity":
        """Return the same figure of the same head, to be measured on other evidence."""

    @abstractmethod
    def basis(self, outcome: Outcome) -> str:
        """Return what a verdict on this figure is about, and its error rate."""

    @abstractmethod
    def summary(self, digits: int = 4) -> str:
        """Return the value with its interval and sample size."""

    @abstractmethod
    def controls(self) -> list[str]:
        """Return one line for each control, a figure to compare the value with."""

    @abstractmethod
    def controls_in_brief(self) -> str:
        """Return the controls in one line; empty if there are none."""

    @property
    @abstractmethod
    def is_share(self) -> bool:
        """Whether the figure is a share in [0, 1], and not a multiple."""

    def require_like(self, other: "Quantity") -> None:
        """Raise `ClaimError` for a figure of another kind, or measured on other evidence."""
        if self.is_share != other.is_share:
            share, multiple = (self, other) if self.is_share else (other, self)
            raise ClaimError(
                f"{share!r} is a share, from 0 to 1, and {multiple!r} is a multiple, so comparing "
                "them is meaningless. Compare a share with a share."
            )
        if other.subject.evidence is not self.subject.evidence:
            raise ClaimError(
                f"{self!r} and {other!r} were measured on different documents or models. Compare "
                "two heads of one model over one corpus."
            )

    @abstractmethod
    def require_comparable(self, other: object) -> None:
        """Raise `ClaimError` if a comparison with a number or quantity is meaningless."""

    @property
    @abstractmethod
    def largest(self) -> float:
        """The largest possible value."""

    @abstractmethod
    def settle(
        self, operator: Operator, right: "Quantity | float", factor: Fraction, offset: Fraction
    ) -> Outcome:
        """Read documents until `self operator factor * right + offset` is decided."""

    @abstractmethod
    def difference_from(self, other: "Quantity", factor: Fraction) -> Interval:
        """Return `self - factor * other` with bounds, over the whole budget."""

    @property
    def value(self) -> float:
        """The figure, on the documents that decided a claim or else on the whole budget."""
        return float(self.exact)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return self.summary()

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)
