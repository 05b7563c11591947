"""A confidence interval in words, with enough digits to tell its bounds from other figures.

Figures in, strings out. A figure without an interval has no bounds; an exact figure equals both.
"""

from headtests.records import DifferenceRecord
from headtests.wording import beside


def in_words(figure: DifferenceRecord, unit: str, *others: float) -> str:
    """Return an interval for a sentence; empty for an exact figure and for one without an interval.

    `others` are figures from which the bounds must look different.

    >>> in_words({"value": 0.12, "low": 0.09, "high": 0.16}, "")
    'between 0.09 and 0.16'
    """
    low, high = figure["low"], figure["high"]
    if low == high and low in (None, figure["value"]):
        return ""
    if high is None:
        return f"at least {beside(low or 0.0, *others)}{unit}"
    if low is None:
        return f"at most {beside(high, *others)}{unit}"
    return f"between {beside(low, high, *others)} and {beside(high, low, *others)}{unit}"


def in_brief(figure: DifferenceRecord, unit: str, *others: float) -> str:
    """Return an interval for a table's cell; empty without one.

    >>> in_brief({"value": 0.12, "low": 0.09, "high": 0.16}, "")
    '0.09 to 0.16'
    >>> in_brief({"value": 0.12, "low": 0.12, "high": 0.12}, "")
    'exact'
    """
    low, high = figure["low"], figure["high"]
    if low == high and low in (None, figure["value"]):
        return "" if low is None else "exact"
    if high is None:
        return f"{beside(low or 0.0, *others)}{unit} or more"
    if low is None:
        return f"{beside(high, *others)}{unit} or less"
    return f"{beside(low, high, *others)} to {beside(high, low, *others)}{unit}"
