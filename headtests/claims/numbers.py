"""Numbers as claims write them: exact decimals, ranges, and checks of thresholds.

No figures and no heads.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real

from headtests.errors import ClaimError
from headtests.wording import written

LARGEST_FACTOR = 1e6
"""Maximum factor of a figure; figures are stored to a billionth."""


def require_factor(factor: float) -> None:
    """Raise `ClaimError` for a factor so large or small that one of two figures vanishes."""
    if not 1 / LARGEST_FACTOR <= factor <= LARGEST_FACTOR:
        raise ClaimError(
            f"expected a factor from {1 / LARGEST_FACTOR:g} to {LARGEST_FACTOR:g} between two "
            f"figures but found {factor:g}. Choose a factor in that range."
        )


def written_factor(factor: float | Fraction) -> str:
    """Return a factor as Python, without rounding errors in the last digits."""
    return written(rounded(float(factor)))


def rounded(number: float) -> float:
    """Return a number without rounding errors in the last digits."""
    return float(f"{number:.15g}")


@dataclass(frozen=True, slots=True)
class Approximately:
    """A number and the largest distance of a figure from it; made by `approx`."""

    expected: float
    margin: float
    """Over 0; a figure on the edge is within the range."""

    @property
    def low(self) -> float:
        """The lower edge, computed in decimals: 0.4 - 0.05 is 0.35."""
        return float(decimal(self.expected) - decimal(self.margin))

    @property
    def high(self) -> float:
        """The upper edge, computed in decimals."""
        return float(decimal(self.expected) + decimal(self.margin))

    def __repr__(self) -> str:
        return f"ht.approx({written(self.expected)}, abs={written(self.margin)})"


def approx(expected: float, *, abs: float) -> Approximately:  # named as in pytest.approx
    """Return a range to compare a figure with: `head.mass(x) == ht.approx(0.4, abs=0.05)`.

    The comparison makes two claims, at least the lower edge and at most the upper edge, and holds
    if both hold (two one-sided tests; Schuirmann 1987, "A comparison of the two one-sided tests
    procedure"). Raises `ClaimError` for a margin that is not over 0.

    >>> approx(0.4, abs=0.05).low
    0.35
    """
    margin = require_number(abs, "ht.approx(abs=)")
    if margin <= 0:
        raise ClaimError(
            f"expected a margin over 0 in ht.approx(abs=) but found {written(margin)}. A measured "
            "figure cannot be claimed to equal a number exactly."
        )
    return Approximately(require_number(expected, "ht.approx"), margin)


def decimal(number: float) -> Fraction:
    """Return the exact value of a number's decimal form, so that 7 of 10 ties with 0.7.

    >>> decimal(0.7)
    Fraction(7, 10)
    """
    return Fraction(repr(float(number)))


def require_multiple(multiple: object, argument: str) -> float:
    """Return a multiple as a float.

    Raises `ClaimError` for anything but a finite number over 0.
    """
    number = require_number(multiple, argument)
    if number <= 0:
        raise ClaimError(
            f"expected a multiple over 0 in {argument} but found {written(number)}. A multiple of "
            "1 is the row's average attention."
        )
    return number


def require_number(number: object, where: str) -> float:
    """Return a finite number as a float.

    Raises `ClaimError` for anything else, including `bool`.
    """
    if not isinstance(number, Real) or isinstance(number, bool) or not math.isfinite(number):
        raise ClaimError(
            f"expected a finite number in {where} but found {number!r} ({type(number).__name__})."
        )
    return float(number)


def require_in_range(kind: str, threshold: float, largest: float) -> None:
    """Raise `ClaimError` for a threshold under 0 or over the largest value of a figure."""
    if 0 <= threshold <= largest:
        return
    span = f"from 0 to {written(largest)}" if math.isfinite(largest) else "of 0 or more"
    percent = (
        f"; {written(threshold)} percent is {threshold / 100:g}" if 0 < threshold <= 100 else ""
    )
    raise ClaimError(
        f"{kind} is a figure {span}, so comparing it with {written(threshold)} claims nothing. "
        f"Choose a threshold in that range{percent}."
    )
