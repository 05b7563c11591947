"""Rounding: few digits, grouped thousands, and enough digits to tell two figures apart.

Numbers in, strings out. What the numbers mean is the caller's business.
"""

import math
from typing import Literal

Operator = Literal[">=", ">", "<=", "<"]


OPERATORS_IN_ENGLISH: dict[Operator, str] = {
    ">=": "at least",
    ">": "more than",
    "<=": "at most",
    "<": "less than",
}
"""Each comparison in English."""


UNIFORM = "uniform attention would give"
"""The base rate in English."""


MATCHED = "average attention at the same distances would give"
"""The matched-distance control in English."""


CONTROLS = {
    "top1_rate": "a key chosen at random would give",
    "precision": "of all pairs of those rows, the share is",
}
"""The base rate in English, by kind, of statistics that uniform attention says nothing about."""


def written(number: float) -> str:
    """Return a finite number as Python source, whole numbers without a decimal point.

    >>> written(10.0), written(0.4)
    ('10', '0.4')
    """
    number = float(number)
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e15 else repr(number)


def quartiles(lower: int, upper: int | None) -> str:
    """Return the quartiles of a number of documents, of which the upper may be unlimited.

    >>> quartiles(40, 1200), quartiles(40, None)
    ('median; quartiles 40 and 1,200', 'median; quartiles 40 and without end')
    """
    return f"median; quartiles {lower:,} and {'without end' if upper is None else f'{upper:,}'}"


def ordinal(place: int) -> str:
    """Return a place in a ranking.

    >>> ordinal(1), ordinal(2), ordinal(13), ordinal(143)
    ('1st', '2nd', '13th', '143rd')
    """
    teen = place % 100 in (11, 12, 13)
    return f"{place:,}" + ("th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th"))


_DIGITS = 3


def number(value: float, digits: int = _DIGITS) -> str:
    """Return a figure with at most `digits` significant digits; whole numbers keep all of theirs.

    Thousands are grouped. A figure that is not whole keeps two decimals where its digits reach
    that far, so that a rounded 1.00 is not mistaken for a counted 1.

    >>> number(0.4), number(0.02134), number(0.9996), number(10.0), number(4310)
    ('0.40', '0.0213', '1.00', '10', '4,310')
    """
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    exponent = math.floor(math.log10(abs(value)))
    if exponent < -5 or exponent >= 15:
        return f"{value:.{digits - 1}e}"
    decimals = max(0, digits - 1 - exponent)
    whole, _, fraction = f"{value:,.{decimals}f}".partition(".")
    fraction = fraction.rstrip("0").ljust(min(2, decimals), "0")
    return f"{whole}.{fraction}" if fraction else whole


def exactly(value: float) -> str:
    """Return a figure from source code, such as a threshold, with all of its digits.

    >>> exactly(0.4), exactly(0.9999), exactly(10.0), exactly(1e-09)
    ('0.40', '0.9999', '10', '1e-09')
    """
    # Removes the rounding error that arithmetic leaves in the last digits.
    value = float(f"{value:.15g}")
    shown = number(value)
    known = "e" not in shown and float(shown.replace(",", "")) == value
    return shown if known else repr(value)


def apart(left: float, right: float) -> tuple[str, str]:
    """Return two figures with as many digits as tell them apart.

    >>> apart(0.39996, 0.4)
    ('0.39996', '0.40')
    >>> apart(0.4, 0.4)
    ('0.40', '0.40')
    """
    for digits in range(_DIGITS, 18):
        shown = number(left, digits), number(right, digits)
        if shown[0] != shown[1] and float(shown[0].replace(",", "")) != float(
            shown[1].replace(",", "")
        ):
            return shown
    return number(left), number(right)


def telling_digits(left: float, right: float, least: int = 4) -> int:
    """Return how many significant digits, in the format `g`, tell two figures apart.

    At least `least`, which is also the answer where 8 digits do not tell them apart: figures are
    kept to 2**-30, so that a ninth digit may be noise.

    >>> telling_digits(0.39996, 0.4), telling_digits(0.4, 0.4), telling_digits(0.1, 0.4, least=3)
    (5, 4, 3)
    """
    digits = range(least, 9)
    return next((n for n in digits if f"{left:.{n}g}" != f"{right:.{n}g}"), least)


def beside(value: float, *others: float) -> str:
    """Return a figure with as many digits as tell it from each of the others.

    >>> beside(0.39996, 0.4, 0.2), beside(0.4, 0.4)
    ('0.39996', '0.40')
    """
    return max((apart(value, other)[0] for other in others), key=len, default=number(value))


def power_of_ten(value: float) -> str:
    """Return a positive figure as a power of ten, rounded down so that it never overstates.

    >>> power_of_ten(2600.0), power_of_ten(1000.0), power_of_ten(1.0), power_of_ten(0.02)
    ('10^3.4', '10^3', '1', '10^-1.7')
    """
    if math.isinf(value):
        return "beyond 10^308"
    # 999.9999999999 is a thousand with a rounding error.
    exponent = math.floor(10 * (math.log10(value) + 1e-9)) / 10
    return f"10^{exponent:g}" if exponent else "1"


def times(multiple: float) -> str:
    r"""Return a multiple of the row's average.

    >>> times(34.21) == "34.2\u00d7", times(0.04) == "0.04\u00d7"
    (True, True)
    """
    decimals = 1 if multiple >= 0.95 or multiple == 0 else 2
    return f"{multiple:,.{decimals}f}\u00d7"


def share(attention: float) -> str:
    """Return an attention value, in [0, 1].

    >>> share(0.25), share(0.00012), share(0.0)
    ('0.250', '<0.001', '0')
    """
    if attention == 0:
        return "0"
    return f"{attention:.3f}" if attention >= 0.0005 else "<0.001"


def count(number_of: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun in the right number.

    >>> count(1, "row"), count(4310, "row"), count(0, "reply", "replies")
    ('1 row', '4,310 rows', '0 replies')
    """
    return f"{number_of:,} {singular if number_of == 1 else plural or singular + 's'}"


def against_null(low: float | None, null: tuple[float, float] | None, head: str) -> str:
    """Return whether a detection score beats what the explanation of another head scores.

    That explanation, of `head`, knows nothing of the head whose pairs are scored, and yet may
    score over 0.5, since many heads have something in common. `low` is the lower end of the score,
    None without one; `null` the other score and its upper end, None without one.

    >>> against_null(0.82, (0.613, 0.7), "L0H3")
    'It beats its null, the explanation of L0H3: 0.613 on the same pairs.'
    >>> against_null(0.66, (0.613, 0.7), "L0H3")
    'It does not surely beat its null, the explanation of L0H3: 0.613 on the same pairs.'
    """
    if low is None:
        return ""
    if null is None:
        return "No explanation of another head was scored on these pairs, so there is no null."
    beats = "beats" if low > null[1] else "does not surely beat"
    return f"It {beats} its null, the explanation of {head}: {number(null[0])} on the same pairs."
