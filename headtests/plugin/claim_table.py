"""The table of claims in the terminal: one line for each claim, drawn from the record alone."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import NamedTuple

from headtests.records import ClaimRecord
from headtests.wording import telling_digits, written

WIDE = 100
"""The width of a terminal from which the table's columns are two spaces apart."""


class TableLine(NamedTuple):
    """The cells of one claim, or the headings."""

    verdict: str
    outcome: str
    measured: str
    after: str
    interval: str
    documents: str
    rows: str
    claim: str


HEADINGS = TableLine("verdict", "test", "measured", "after", "interval", "docs", "rows", "claim")


class Printed(NamedTuple):
    """A line in parts, so that the outcome can be coloured."""

    before: str
    outcome: str
    behind: str
    below: str
    """The claim, if it does not fit beside its figures and needs a line of its own; else empty."""


def lines(claims: Sequence[ClaimRecord], width: int) -> list[Printed]:
    """Return the headings and a line for each claim, at most `width` characters where possible."""
    gap = "  " if width >= WIDE else " "
    rows = [HEADINGS, *map(line_of, claims)]
    for name in ("after", "interval"):
        if not any(getattr(row, name) for row in rows[1:]):
            rows = [row._replace(**{name: ""}) for row in rows]
    # A narrow terminal has no room for all figures.
    for name in ("rows", "after"):
        if _width(rows, gap) > width:
            rows = [row._replace(**{name: ""}) for row in rows]
    widths = _widths(rows)
    return [_printed(row, widths, width, gap) for row in rows]


def _widths(rows: Sequence[TableLine]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _width(rows: Sequence[TableLine], gap: str) -> int:
    """Return the width of the figures, without the claims."""
    widths = [width for width in _widths(rows)[:-1] if width]
    return sum(widths) + len(gap) * (len(widths) - 1)


def _printed(row: TableLine, widths: list[int], width: int, gap: str) -> Printed:
    words = [cell.ljust(least) for cell, least in zip(row[:5], widths[:5], strict=True)]
    numbers = [cell.rjust(least) for cell, least in zip(row[5:7], widths[5:7], strict=True)]
    # A column without content takes no space.
    behind = "".join(f"{gap}{cell}" for cell in words[2:] + numbers if cell)
    before = f"{words[0]} "
    if len(f"{before}{words[1]}{behind}{gap}{row.claim}") <= width:
        return Printed(before, words[1], f"{behind}{gap}{row.claim}", "")
    return Printed(before, words[1], behind.rstrip(), f"  {_clipped(row.claim, width - 2)}")


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(width - 3, 0)]}..."


def line_of(claim: ClaimRecord) -> TableLine:
    """Return the cells of a claim."""
    left = claim["left"]
    counted, rows = left["documents"], left["rows"]
    units = f"{left['texts']:,} texts" if left["texts"] is not None else ""
    return TableLine(
        claim["verdict"],
        claim["outcome"],
        _measured(claim),
        _after(claim),
        _interval(claim),
        f"{left['pairs']:,} pairs" if counted is None else units or f"{counted:,}",
        "" if rows is None else f"{rows:,}",
        _about(claim),
    )


def _measured(claim: ClaimRecord) -> str:
    left, right = claim["left"]["value"], claim["right"]
    if isinstance(right, dict):
        value, bound = _distinct(left, right["value"] * claim["factor"] + claim["offset"])
    else:
        value, bound = _distinct(left, right)
        # A threshold as the user wrote it, unless it was computed.
        bound = min(written(right), bound, key=len) if len(written(right)) > 8 else written(right)
    return f"{value} {claim['operator']} {bound}"


def _distinct(left: float, right: float) -> tuple[str, str]:
    """Return two figures with as few digits as distinguish them, at least 3."""
    digits = telling_digits(left, right, least=3)
    return f"{left:.{digits}g}", f"{right:.{digits}g}"


def _after(claim: ClaimRecord) -> str:
    """Return the estimate after the stop, in three digits; empty without one."""
    after = claim["after_stop"]
    return "" if after is None else f"{after['value']:.3g}"


def is_of_two(claim: ClaimRecord) -> bool:
    """Return whether a claim's interval is about a difference of two statistics."""
    return claim["difference"] is not None


def _interval(claim: ClaimRecord) -> str:
    """Return both bounds of the statistic, or of the difference of two; empty for pairs."""
    left, difference = claim["left"], claim["difference"]
    low, high = left["low"], left["high"]
    if difference is not None:
        low, high = difference["low"], difference["high"]
    if low is None:
        return ""
    if low == high:
        return "exact"
    upper = "inf" if high is None else _rounded(high, ROUND_CEILING)
    return f"[{_rounded(low, ROUND_FLOOR)}, {upper}]"


def _rounded(bound: float, rounding: str) -> str:
    """Return a bound with three digits, rounded outward so that the interval never shrinks."""
    return f"{float(Context(prec=3, rounding=rounding).create_decimal(repr(bound))):.3g}"


def _about(claim: ClaimRecord) -> str:
    """Return the claim's statistic, or both, with their common part once."""
    left, right = claim["left"]["expression"], claim["right"]
    if not isinstance(right, dict):
        return left
    head, _, figure = left.partition(".")
    plain = claim["factor"] == 1 and claim["offset"] == 0
    shared = plain and figure == right["expression"].partition(".")[2]
    times = "" if claim["factor"] == 1 else f"{claim['factor']:g} * "
    sign = "+" if claim["offset"] > 0 else "-"
    more = "" if claim["offset"] == 0 else f" {sign} {abs(claim['offset']):g}"
    return f"{head if shared else left} vs {times}{right['expression']}{more}"
