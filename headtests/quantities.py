"""Figures of a head that compare: what every figure can do, whatever it is a figure of.

The figures themselves are `headtests.estimates`; the claim that a comparison makes, and how it is
decided when it is asked for, is `headtests.comparisons`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, NoReturn

from headtests.claims import Operator, Question, RowOptions, decimal, require_number, written
from headtests.errors import ClaimError
from headtests.evidence import Evidence
from headtests.head_names import HeadName
from headtests.locations import calling_instruction
from headtests.readings import Reading, Stop
from headtests.verdicts import Decision

if TYPE_CHECKING:
    from headtests.comparisons import Comparison, Equivalence


LARGEST_FACTOR = 1e6
"""What a figure may be multiplied by, at most: figures are kept to a billionth."""


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


class Comparable:
    """What a claim is made with: compares with `>=`, `>`, `<=` and `<`, and has no truth."""

    __hash__ = object.__hash__
    __array_ufunc__ = None
    """Has NumPy's numbers leave comparing and multiplying to this class."""

    def __ge__(self, other: object) -> "Comparison":
        return self._compared(">=", other)

    def __gt__(self, other: object) -> "Comparison":
        return self._compared(">", other)

    def __le__(self, other: object) -> "Comparison":
        return self._compared("<=", other)

    def __lt__(self, other: object) -> "Comparison":
        return self._compared("<", other)

    def __eq__(self, other: object) -> "Equivalence":  # type: ignore[override]  # a claim
        from headtests.comparisons import equivalence

        claim = equivalence(self, other)
        made = calling_instruction()
        for part in claim.parts:
            part.made = made
        return claim

    def __ne__(self, other: object) -> NoReturn:
        raise ClaimError(
            f"a measured figure always differs from another: {self!r} was compared with {other!r} "
            f"by !=. Claim on which side it lies: {self!r} > 0.4."
        )

    def _compared(self, operator: Operator, other: object) -> "Comparison":
        # Comparisons are made of figures, and figures make comparisons.
        from headtests.comparisons import compare

        claim = compare(self, operator, other)
        claim.made = calling_instruction()
        return claim

    def __bool__(self) -> NoReturn:
        raise ClaimError(
            f"{self!r} is a figure, so it is neither true nor false. Compare it with a threshold: "
            f"{self!r} >= 0.4."
        )


class Quantity(Comparable, ABC):
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

    def __mul__(self, factor: object) -> "Multiplied":
        return Multiplied(self, 1.0) * factor

    __rmul__ = __mul__

    def __sub__(self, other: object) -> "Difference":
        return _less(self, other)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return self.summary()

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)


@dataclass(frozen=True, eq=False, repr=False)
class Multiplied(Comparable):
    """A quantity times a number, for claims such as `a >= 3 * b`."""

    quantity: Quantity
    factor: float

    def __mul__(self, factor: object) -> "Multiplied":
        number = require_number(factor, "a factor")
        if number <= 0:
            raise ClaimError(
                f"expected a factor over 0 but found {written(number)} times {self.quantity!r}."
            )
        require_factor(self.factor * number)
        return Multiplied(self.quantity, self.factor * number)

    __rmul__ = __mul__

    def __sub__(self, other: object) -> "Difference":
        raise ClaimError(
            f"a difference begins with a figure, not with a product: {self!r} was found before "
            "the minus. Divide by its factor: a - 0.5 * b in place of 2 * a - b."
        )

    def __repr__(self) -> str:
        return f"{written_factor(self.factor)} * {self.quantity!r}"


@dataclass(frozen=True, eq=False, repr=False)
class Difference(Comparable):
    """A quantity less another on the same documents, for claims such as `a - b >= 0.1`."""

    left: Quantity
    right: Quantity
    factor: Fraction = Fraction(1)
    """What the right one is multiplied by; over 0."""

    @property
    def interval(self) -> Interval:
        """The difference with its bounds; reads the whole budget."""
        return self.left.difference_from(self.right, self.factor)

    @property
    def value(self) -> float:
        """The difference; reads the whole budget."""
        return self.interval.value

    @property
    def low(self) -> float:
        """The lower bound of the difference; reads the whole budget."""
        return self.interval.low

    @property
    def high(self) -> float:
        """The upper bound of the difference; reads the whole budget."""
        return self.interval.high

    @property
    def times(self) -> str:
        """The factor as it is said before the right side; empty for 1."""
        return "" if self.factor == 1 else f"{written_factor(self.factor)} * "

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        found = self.interval
        bounds = "" if found.is_exact else f" [{found.low:.4g}, {found.high:.4g}]"
        return f"{found.value:.4g}{bounds}"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)

    def __repr__(self) -> str:
        return f"{self.left!r} - {self.times}{self.right!r}"


def _less(left: Quantity, right: object) -> Difference:
    factor = Fraction(1)
    if isinstance(right, Multiplied):
        factor, right = decimal(right.factor), right.quantity
    if not isinstance(right, Quantity):
        raise ClaimError(
            f"a figure is subtracted from a figure, but {right!r} was subtracted from {left!r}. "
            "Move the number to the other side of the comparison."
        )
    left.require_comparable(right)
    return Difference(left, right, factor)


def require_factor(factor: float) -> None:
    """Raise `ClaimError` for a factor beside which one of two figures is nothing."""
    if not 1 / LARGEST_FACTOR <= factor <= LARGEST_FACTOR:
        raise ClaimError(
            f"expected a factor from {1 / LARGEST_FACTOR:g} to {LARGEST_FACTOR:g} between two "
            f"figures but found {factor:g}, beside which one of them is nothing."
        )


def written_factor(factor: float | Fraction) -> str:
    """Return a factor in Python, without the noise that arithmetic leaves in the last digits."""
    return written(rounded(float(factor)))


def rounded(number: float) -> float:
    """Return a number without the noise that arithmetic leaves in the last digits."""
    return float(f"{number:.15g}")
