"""Comparisons, products and differences of figures, as the operators of Python make them.

`Comparable` gives a figure its operators, and `compare` makes the comparison that they ask for.
What a figure can do besides is `headtests.claims.quantity`; how a comparison is decided is
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
        claim = compare(self, operator, other)
        claim.made = calling_instruction()
        return claim

    def __bool__(self) -> NoReturn:
        raise ClaimError(
            f"{self!r} is a figure, so it is neither true nor false. Compare it with a threshold: "
            f"{self!r} >= 0.4."
        )


class ComparableQuantity(Comparable, Quantity):
    """A figure of a head with its operators: it compares, is multiplied and is subtracted from."""

    __hash__ = object.__hash__

    def __mul__(self, factor: object) -> "Multiplied":
        return Multiplied(self, 1.0) * factor

    __rmul__ = __mul__

    def __sub__(self, other: object) -> "Difference":
        return _less(self, other)


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


def equivalence(left: object, right: object) -> Equivalence:
    """Return the claim that a figure is about a number.

    Raises `ClaimError` for anything but `ht.approx`, and for a margin that leaves nothing out.
    """
    if not isinstance(right, Approximately):
        raise ClaimError(
            f"a measured figure is never claimed to equal another exactly: {left!r} was compared "
            f"with {right!r} by ==. Claim a range, {left!r} == ht.approx(0.4, abs=0.05), or "
            "compare by >= or <=."
        )
    if not isinstance(left, ComparableQuantity):
        raise ClaimError(f"{left!r} is compared by >= or <=; ht.approx takes a figure alone.")
    parts = []
    if right.low > 0:
        parts.append(compare(left, ">=", right.low))
    if right.high < left.largest:
        parts.append(compare(left, "<=", right.high))
    if not parts:
        raise ClaimError(
            f"{right!r} spans everything that {left!r} could be, so it claims nothing. Choose a "
            "smaller margin."
        )
    return Equivalence(f"{left!r} == {right!r}", tuple(parts))


def compare(left: Comparable, operator: Operator, right: object) -> Comparison:
    """Return the comparison of a figure with a number or a figure, undecided.

    A factor stands on the right side of a comparison alone: that of the left is divided out, or
    the sides change places. Raises `ClaimError` for what can never be compared.
    """
    if isinstance(left, Difference):
        return _difference_compared(left, operator, right)
    if isinstance(right, Difference):
        raise ClaimError(
            f"{right!r} is a difference of two figures, which compares with a number alone, but "
            f"{left!r} was found."
        )
    if isinstance(left, Multiplied) and isinstance(right, ComparableQuantity):
        return compare(right, MIRRORED[operator], left)
    left_factor, right_factor = Fraction(1), Fraction(1)
    if isinstance(left, Multiplied):
        left_factor, left = decimal(left.factor), left.quantity
    if not isinstance(left, ComparableQuantity):
        raise ClaimError(f"{left!r} is no figure of a head, so it cannot be compared.")
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


def explained(operator: str, left: object, right: object) -> list[str] | None:
    """Return the lines that explain `left operator right`, or None where no figure is compared."""
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
