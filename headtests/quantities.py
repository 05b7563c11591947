"""Figures of a head that compare, and the comparison: one claim, decided when it is asked for.

What every figure can do, whatever it is a figure of. The figures themselves are
`headtests.estimates`; what makes a comparison hold is `headtests.verdicts`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar, NoReturn

from headtests.claims import OPERATORS_IN_ENGLISH, Operator, RowOptions, require_number
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
    def summary(self) -> str:
        """Return the value with its n, such as `0.61 over 253 documents (21,034 rows)`."""

    @abstractmethod
    def controls(self) -> list[str]:
        """Return a line for each figure that the value is to be read beside."""

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
        raise ClaimError(
            f"a measured figure is never claimed to equal another: {self!r} was compared with "
            f"{other!r} by == or !=. Claim a range: 0.35 <= {self!r} <= 0.45."
        )

    __ne__ = __eq__
    __hash__ = object.__hash__

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

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else self.summary()


@dataclass(frozen=True, eq=False, repr=False)
class Multiplied:
    """A quantity times a number, for claims such as `a >= 3 * b`."""

    quantity: Quantity
    factor: float

    def __mul__(self, factor: object) -> "Multiplied":
        number = require_number(factor, "a factor")
        if number <= 0:
            raise ClaimError(f"expected a factor over 0 but found {number:g} times a figure.")
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

    def __bool__(self) -> NoReturn:
        self.quantity.__bool__()

    def __repr__(self) -> str:
        return f"{self.factor:g} * {self.quantity!r}"


@dataclass(eq=False, repr=False)
class Comparison:
    """One claim: a quantity compared with a number or with another quantity."""

    left: Quantity
    operator: Operator
    right: Quantity | float
    factor: float = 1.0
    """What a quantity on the right side is multiplied by; over 0."""
    verdict: Verdict | None = field(default=None, init=False)
    """None until the comparison's truth was asked for."""
    location: Location | None = field(default=None, init=False)
    """The statement that asked."""

    def __bool__(self) -> bool:
        if self.verdict is None:
            self.location = calling_location()
            self.decide()
            if self.left.subject.observer is not None:
                self.left.subject.observer(self)
        return self.verdict is Verdict.HOLDS

    def decide(self) -> Verdict:
        """Return the verdict, measured once and remembered; nobody is told of it."""
        if self.verdict is None:
            left, right = self._sides()
            self.verdict = decide(left, self.operator, right)
        return self.verdict

    def _sides(self) -> tuple[Fraction, Fraction]:
        if isinstance(self.right, Quantity):
            self.left, self.right = self.left.paired_with(self.right)
            return self.left.exact, self.right.exact * Fraction(self.factor)
        self.left.require_reachable(self.right)
        return self.left.exact, quantised_fraction(self.right)

    @property
    def sentence(self) -> str:
        """The claim in English."""
        left = self.left.english
        relation = OPERATORS_IN_ENGLISH[self.operator]
        if isinstance(self.right, Quantity):
            times = "" if self.factor == 1 else f"{self.factor:g} times "
            return (
                f"{_capital(left)}{self.left.averaged} is {relation} {times}{self.right.english}."
            )
        return f"{_capital(left)}{self.left.averaged} is {relation} {self.right:g}."

    def explanation(self) -> list[str]:
        """Return what was found and what it is to be read beside, a line each; it decides."""
        claimed = "as" if self.decide() is Verdict.HOLDS else "where"
        subject = self.left.subject
        if isinstance(self.right, Quantity):
            times = "" if self.factor == 1 else f"{self.factor:g} times "
            lines = [
                f"{self.verdict}: {self.left.summary()}",
                f"  {claimed} {self.operator} {times}{self.right!r} was claimed,",
                f"  which is {self.right.summary()}",
            ]
        else:
            lines = [
                f"{self.verdict}: {self.left.summary()},",
                f"  {claimed} {self.operator} {self.right:g} was claimed",
            ]
        lines += [f"  {line}" for line in self.left.controls()]
        lines.append(f"  {subject.evidence.description}")
        return lines

    @property
    def source(self) -> str:
        """The claim as Python."""
        if isinstance(self.right, Quantity):
            right = repr(self.right if self.factor == 1 else Multiplied(self.right, self.factor))
        else:
            right = f"{self.right:g}"
        return f"{self.left!r} {self.operator} {right}"

    def __repr__(self) -> str:
        if self.verdict is None:
            return self.source
        return f"{self.source} [{self.verdict}: {self.left.summary()}]"


def _capital(phrase: str) -> str:
    # A head's name or a lower-case article may stand first; only the article changes.
    return phrase[0].upper() + phrase[1:]


def compare(left: Quantity | Multiplied, operator: Operator, right: object) -> Comparison:
    """Return the comparison of a quantity with a number or a quantity, undecided.

    Raises `ClaimError` for what can never be compared.
    """
    left_factor, right_factor = 1.0, 1.0
    if isinstance(left, Multiplied):
        left_factor, left = left.factor, left.quantity
    if isinstance(right, Multiplied):
        right_factor, right = right.factor, right.quantity
    other: Quantity | float
    if isinstance(right, Quantity):
        other = right
    else:
        other = require_number(right, f"a comparison with {left!r}") / left_factor
        left_factor = 1.0
    left.require_comparable(other)
    return Comparison(left, operator, other, right_factor / left_factor)


MIRRORED: dict[str, Operator] = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
"""Each operator as it reads from the other side."""


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
