"""Figures of a head that compare, and the comparison: one claim, decided when it is asked for.

What every figure can do, whatever it is a figure of. The figures themselves are
`headtests.estimates`; what makes a comparison hold is `headtests.verdicts`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar, NoReturn

from headtests.claims import OPERATORS_IN_ENGLISH, Operator, RowOptions, require_number, written
from headtests.errors import ClaimError
from headtests.evidence import Evidence
from headtests.head_names import HeadName
from headtests.locations import Location, calling_location
from headtests.statistics import quantised_fraction
from headtests.verdicts import Verdict, decide


@dataclass(frozen=True, eq=False)
class Subject:
    """The head that a quantity is about, and where its evidence comes from."""

    name: HeadName
    evidence: Evidence
    options: RowOptions
    observer: "Callable[[Comparison], None] | None" = None
    """Called once for each comparison, when it is decided."""


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

    @property
    @abstractmethod
    def basis(self) -> str:
        """What a verdict on this figure is about."""

    @abstractmethod
    def summary(self, digits: int = 4) -> str:
        """Return the value with its n, such as `0.61 over 253 documents (21,034 rows)`."""

    @abstractmethod
    def controls(self) -> list[str]:
        """Return a line for each figure that the value is to be read beside."""

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

    @abstractmethod
    def require_reachable(self, threshold: float) -> None:
        """Raise `ClaimError` for a threshold that what was measured rules out."""

    def paired_with(self, other: "Quantity") -> tuple["Quantity", "Quantity"]:
        """Return this figure and another as they are compared; by default as they are."""
        return self, other

    @property
    def value(self) -> float:
        """The figure, measured over the whole budget."""
        return float(self.exact)

    def __ge__(self, other: object) -> "Comparison":
        return compare(self, ">=", other)

    def __gt__(self, other: object) -> "Comparison":
        return compare(self, ">", other)

    def __le__(self, other: object) -> "Comparison":
        return compare(self, "<=", other)

    def __lt__(self, other: object) -> "Comparison":
        return compare(self, "<", other)

    def __eq__(self, other: object) -> NoReturn:
        raise _claimed_equal(self, other)

    __ne__ = __eq__
    __hash__ = object.__hash__
    __array_ufunc__ = None
    """Has NumPy's numbers leave comparing and multiplying to this class."""

    def __mul__(self, factor: object) -> "Multiplied":
        return Multiplied(self, 1.0) * factor

    __rmul__ = __mul__

    def __bool__(self) -> NoReturn:
        raise ClaimError(
            f"{self!r} is a figure, so it is neither true nor false. Compare it with a threshold: "
            f"{self!r} >= 0.4."
        )

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return self.summary()

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)


@dataclass(frozen=True, eq=False, repr=False)
class Multiplied:
    """A quantity times a number, for claims such as `a >= 3 * b`."""

    quantity: Quantity
    factor: float

    def __mul__(self, factor: object) -> "Multiplied":
        number = require_number(factor, "a factor")
        if number <= 0:
            raise ClaimError(
                f"expected a factor over 0 but found {written(number)} times {self.quantity!r}."
            )
        return Multiplied(self.quantity, self.factor * number)

    __rmul__ = __mul__

    def __ge__(self, other: object) -> "Comparison":
        return compare(self, ">=", other)

    def __gt__(self, other: object) -> "Comparison":
        return compare(self, ">", other)

    def __le__(self, other: object) -> "Comparison":
        return compare(self, "<=", other)

    def __lt__(self, other: object) -> "Comparison":
        return compare(self, "<", other)

    def __eq__(self, other: object) -> NoReturn:
        raise _claimed_equal(self, other)

    __ne__ = __eq__
    __hash__ = object.__hash__
    __array_ufunc__ = None
    """Has NumPy's numbers leave comparing and multiplying to this class."""

    def __bool__(self) -> NoReturn:
        self.quantity.__bool__()

    def __repr__(self) -> str:
        return f"{_factor(self.factor)} * {self.quantity!r}"


def _claimed_equal(left: object, right: object) -> ClaimError:
    return ClaimError(
        f"a measured figure is never claimed to equal another: {left!r} was compared with "
        f"{right!r} by == or !=. Claim a range: 0.35 <= {left!r} <= 0.45."
    )


@dataclass(eq=False, repr=False)
class Comparison:
    """One claim: a quantity compared with a number or with another quantity."""

    left: Quantity
    operator: Operator
    right: Quantity | float
    factor: Fraction = Fraction(1)
    """What a quantity on the right side is multiplied by; over 0."""
    verdict: Verdict | None = field(default=None, init=False)
    """None until the comparison's truth was asked for."""
    location: Location | None = field(default=None, init=False)
    """The statement that asked."""

    def __bool__(self) -> bool:
        if self.location is None:
            location = calling_location()
            self.decide()
            self.location = location
            if self.left.subject.observer is not None:
                self.left.subject.observer(self)
        return self.verdict is Verdict.HOLDS

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bool):
            raise ClaimError(
                f"the claim {self.source} was compared with {other} by == or !=, which asks "
                "nothing. Write assert CLAIM, or assert not CLAIM."
            )
        return self is other

    __hash__ = object.__hash__

    def decide(self) -> Verdict:
        """Return the verdict, measured once and remembered; nobody is told of it."""
        if self.verdict is None:
            left, right = self._sides()
            self.verdict = decide(left, self.operator, right)
        return self.verdict

    def _sides(self) -> tuple[Fraction, Fraction]:
        if isinstance(self.right, Quantity):
            self.left, self.right = self.left.paired_with(self.right)
            return self.left.exact, self.right.exact * self.factor
        self.left.require_reachable(self.right)
        # Both through the same rounding, so that 7 pairs of 10 tie with 0.7.
        return quantised_fraction(self.left.exact), quantised_fraction(self.right)

    @property
    def sentence(self) -> str:
        """The claim in English."""
        left = self.left.english
        relation = OPERATORS_IN_ENGLISH[self.operator]
        if isinstance(self.right, Quantity):
            right = f"{self._times}{self.right.english}"
        else:
            right = written(self.right)
        return f"{_capital(left)}{self.left.averaged} is {relation} {right}."

    @property
    def _times(self) -> str:
        return "" if self.factor == 1 else f"{_factor(self.factor)} times "

    def explanation(self) -> list[str]:
        """Return what was found and what it is to be read beside, a line each; it decides."""
        claimed = "as" if self.decide() is Verdict.HOLDS else "where"
        left, right = self.left, self.right
        if isinstance(right, Quantity):
            bound = right.value * float(self.factor)
            digits = _telling_digits(left.value, bound)
            product = "" if self.factor == 1 else f", so {bound:.{digits}g}"
            lines = [
                f"{self.verdict}: {left.summary(digits)},",
                f"  {claimed} {self.operator} {self._times}{right!r} was claimed,",
                f"  which is {self._times}{right.summary(digits)}{product}",
            ]
            lines += [f"  {side!r}: {line}" for side in (left, right) for line in side.controls()]
        else:
            lines = [
                f"{self.verdict}: {left.summary(_telling_digits(left.value, right))},",
                f"  {claimed} {self.operator} {written(right)} was claimed",
                *(f"  {line}" for line in left.controls()),
            ]
        lines.append(f"  {left.subject.evidence.description}")
        return lines

    @property
    def source(self) -> str:
        """The claim as Python."""
        if isinstance(self.right, Quantity):
            times = "" if self.factor == 1 else f"{_factor(self.factor)} * "
            right = f"{times}{self.right!r}"
        else:
            right = written(self.right)
        return f"{self.left!r} {self.operator} {right}"

    def __repr__(self) -> str:
        if self.verdict is None:
            return self.source
        return f"{self.source} [{self.verdict}: {self.left.summary()}]"


def _capital(phrase: str) -> str:
    # A head's name or a lower-case article may stand first; only the article changes.
    return phrase[0].upper() + phrase[1:]


def _factor(factor: float | Fraction) -> str:
    return written(_rounded(float(factor)))


def _rounded(number: float) -> float:
    """Return a number without the noise that arithmetic leaves in the last digits."""
    return float(f"{number:.15g}")


def _telling_digits(left: float, right: float) -> int:
    """Return how many digits tell two figures apart, 4 at least; 4 where they are as good as equal.

    Figures are kept to 2**-30, so that a ninth digit may be noise.
    """
    apart = (n for n in range(4, 9) if f"{left:.{n}g}" != f"{right:.{n}g}")
    return next(apart, 4)


def _decimal(factor: float) -> Fraction:
    """Return a factor as it is written, so that 33 of 50 ties with 1.1 times 3 of 5."""
    return Fraction(repr(factor))


MIRRORED: dict[str, Operator] = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
"""Each operator as it reads from the other side."""


def compare(left: Quantity | Multiplied, operator: Operator, right: object) -> Comparison:
    """Return the comparison of a quantity with a number or a quantity, undecided.

    A factor stands on the right side of a comparison alone: that of the left is divided out, or
    the sides change places. Raises `ClaimError` for what can never be compared.
    """
    if isinstance(left, Multiplied) and isinstance(right, Quantity):
        return compare(right, MIRRORED[operator], left)
    left_factor, right_factor = Fraction(1), Fraction(1)
    if isinstance(left, Multiplied):
        left_factor, left = _decimal(left.factor), left.quantity
    if isinstance(right, Multiplied):
        right_factor, right = _decimal(right.factor), right.quantity
    if isinstance(right, Quantity):
        left.require_comparable(right)
        return Comparison(left, operator, right, right_factor / left_factor)
    threshold = require_number(right, f"a comparison with {left!r}")
    if left_factor != 1:
        threshold = _rounded(threshold / float(left_factor))
    left.require_comparable(threshold)
    return Comparison(left, operator, threshold)


def explained(operator: str, left: object, right: object) -> list[str] | None:
    """Return the lines that explain `left operator right`, or None where no figure is compared."""
    if operator not in MIRRORED:
        return None
    if isinstance(left, Quantity | Multiplied):
        comparison = compare(left, MIRRORED[MIRRORED[operator]], right)
    elif isinstance(right, Quantity | Multiplied):
        comparison = compare(right, MIRRORED[operator], left)
    else:
        return None
    lines = comparison.explanation()
    return [comparison.source, *lines]
