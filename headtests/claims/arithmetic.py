"""Comparisons, products and differences of figures, made by Python's operators.

`Comparable` gives a figure its operators, and `compare` makes the comparison. Everything else
about a figure is `headtests.claims.quantity`; deciding a comparison is
`headtests.claims.comparison`.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

from headtests.claims.call_site import calling_instruction
from headtests.claims.comparison import MIRRORED, Comparison, Equivalence
from headtests.claims.numbers import (
    Approximately,
    decimal,
    require_factor,
    require_number,
    rounded,
    written_factor,
)
from headtests.claims.quantity import Interval, Quantity
from headtests.errors import ClaimError
from headtests.wording import Operator, written


class Comparable:
    """Something that `>=`, `>`, `<=` and `<` make a claim of; has no truth value itself."""

    __hash__ = object.__hash__
    __array_ufunc__ = None
    """Makes NumPy scalars defer comparison and multiplication to this class."""

    def __ge__(self, other: object) -> "Comparison":
        return self._compared(">=", other)

    def __gt__(self, other: object) -> "Comparison":
        return self._compared(">", other)

    def __le__(self, other: object) -> "Comparison":
        return self._compared("<=", other)

    def __lt__(self, other: object) -> "Comparison":
        return self._compared("<", other)

    def __eq__(self, other: object) -> "Equivalence":  # type: ignore[override]  # a claim
        claim = equivalence(self, other)
        made = calling_instruction()
        for part in claim.parts:
            part.made = made
        return claim

    def __ne__(self, other: object) -> NoReturn:
        raise ClaimError(
            f"{self!r} was compared with {other!r} by !=, which is true of any two measured "
            f"figures. Claim on which side it lies: {self!r} > 0.4."
        )

    def _compared(self, operator: Operator, other: object) -> "Comparison":
        claim = compare(self, operator, other)
        claim.made = calling_instruction()
        return claim

    def __bool__(self) -> NoReturn:
        raise ClaimError(
            f"{self!r} is a figure and has no truth value. Compare it with a threshold: "
            f"{self!r} >= 0.4."
        )


class ComparableQuantity(Comparable, Quantity):
    """A figure of a head with its operators: comparison, multiplication and subtraction."""

    __hash__ = object.__hash__

    def __mul__(self, factor: object) -> "Multiplied":
        return Multiplied(self, 1.0) * factor

    __rmul__ = __mul__

    def __sub__(self, other: object) -> "Difference":
        factor = Fraction(1)
        if isinstance(other, Multiplied):
            factor, other = decimal(other.factor), other.quantity
        if not isinstance(other, Quantity):
            raise ClaimError(
                f"expected a figure after the minus but found {other!r} in {self!r} - {other!r}. "
                "Move the number to the other side of the comparison."
            )
        self.require_comparable(other)
        return Difference(self, other, factor)


@dataclass(frozen=True, eq=False, repr=False)
class Multiplied(Comparable):
    """A quantity times a number, for claims such as `a >= 3 * b`."""

    quantity: ComparableQuantity
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
            f"expected a figure before the minus but found the product {self!r}. Divide by its "
            "factor: a - 0.5 * b in place of 2 * a - b."
        )

    def __repr__(self) -> str:
        return f"{written_factor(self.factor)} * {self.quantity!r}"


@dataclass(frozen=True, eq=False, repr=False)
class Difference(Comparable):
    """A quantity minus another on the same documents, for claims such as `a - b >= 0.1`."""

    left: Quantity
    right: Quantity
    factor: Fraction = Fraction(1)
    """The factor of the right side; over 0."""

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
        """The factor as Python before the right side; empty for 1."""
        return "" if self.factor == 1 else f"{written_factor(self.factor)} * "

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        interval = self.interval
        bounds = "" if interval.is_exact else f" [{interval.low:.4g}, {interval.high:.4g}]"
        return f"{interval.value:.4g}{bounds}"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)

    def __repr__(self) -> str:
        return f"{self.left!r} - {self.times}{self.right!r}"


def equivalence(left: object, right: object) -> Equivalence:
    """Return the claim that a figure lies in a range around a number.

    Raises `ClaimError` for anything but `ht.approx`, and for a range that excludes nothing.
    """
    if not isinstance(right, Approximately):
        raise ClaimError(
            f"{left!r} was compared with {right!r} by ==, but a measured figure cannot be claimed "
            f"to equal another exactly. Claim a range, {left!r} == ht.approx(0.4, abs=0.05), or "
            "compare by >= or <=."
        )
    if not isinstance(left, ComparableQuantity):
        raise ClaimError(
            f"expected a figure before == ht.approx(...) but found {left!r}. Compare by >= or <=."
        )
    parts = []
    if right.low > 0:
        parts.append(compare(left, ">=", right.low))
    if right.high < left.largest:
        parts.append(compare(left, "<=", right.high))
    if not parts:
        raise ClaimError(
            f"{right!r} includes every possible value of {left!r}, so it claims nothing. Choose a "
            "smaller margin."
        )
    return Equivalence(f"{left!r} == {right!r}", tuple(parts))


def compare(left: Comparable, operator: Operator, right: object) -> Comparison:
    """Return the comparison of a figure with a number or a figure, not yet decided.

    A `Comparison` has a factor on its right side only, so a factor on the left is divided out or
    the sides are swapped. Raises `ClaimError` for sides that cannot be compared.
    """
    if isinstance(left, Difference):
        return _difference_compared(left, operator, right)
    if isinstance(right, Difference):
        raise ClaimError(
            f"{right!r} is a difference of two figures and compares only with a number, but found "
            f"{left!r}. Move everything but a number to the side of the difference."
        )
    if isinstance(left, Multiplied) and isinstance(right, ComparableQuantity):
        return compare(right, MIRRORED[operator], left)
    left_factor, right_factor = Fraction(1), Fraction(1)
    if isinstance(left, Multiplied):
        left_factor, left = decimal(left.factor), left.quantity
    if not isinstance(left, ComparableQuantity):
        raise ClaimError(f"expected a figure of a head to compare but found {left!r}.")
    if isinstance(right, Multiplied):
        right_factor, right = decimal(right.factor), right.quantity
    if isinstance(right, Quantity):
        left.require_comparable(right)
        require_factor(float(right_factor / left_factor))
        return Comparison(left, operator, right, right_factor / left_factor)
    threshold = require_number(right, f"a comparison with {left!r}")
    if left_factor != 1:
        threshold = rounded(threshold / float(left_factor))
    left.require_comparable(threshold)
    return Comparison(left, operator, threshold)


def _difference_compared(left: Difference, operator: Operator, right: object) -> Comparison:
    if isinstance(right, Comparable):
        raise ClaimError(
            f"{left!r} is a difference of two figures, which compares with a number alone, but "
            f"{right!r} was found."
        )
    offset = require_number(right, f"a comparison with {left!r}")
    least, most = -float(left.factor) * left.right.largest, left.left.largest
    if not least <= offset <= most:
        raise ClaimError(
            f"{left!r} lies between {written(least)} and {written(most)}, so comparing it with "
            f"{written(offset)} claims nothing. Choose a threshold in that range."
        )
    return Comparison(left.left, operator, left.right, left.factor, decimal(offset))


def explanation_of(operator: str, left: object, right: object) -> list[str] | None:
    """Return the lines that explain `left operator right`; None if no figure is compared."""
    if operator == "==":
        figures = [side for side in (left, right) if isinstance(side, Quantity)]
        ranges = [side for side in (left, right) if isinstance(side, Approximately)]
        if not figures or not ranges:
            return None
        claim = equivalence(figures[0], ranges[0])
        return [claim.source, *claim.explanation()]
    if operator not in MIRRORED:
        return None
    if isinstance(left, Comparable):
        comparison = compare(left, MIRRORED[MIRRORED[operator]], right)
    elif isinstance(right, Comparable):
        comparison = compare(right, MIRRORED[operator], left)
    else:
        return None
    return [comparison.source, *comparison.explanation()]
