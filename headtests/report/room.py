"""How much of a record a page has room for: rows a list, and how much is said around them.

Counts in, caps out. What a row looks like is `rows`, and how large the page came out `drawing`.
"""

from typing import NamedTuple

from headtests.records import Record
from headtests.report.claims import sides

_MOST_A_LIST = 50
_CROWDED = 200
"""Claims beyond which each says less of its heads, and a row less of its context."""
_ROOM = 9_000_000
"""Bytes of a page, at most, that its claims and rows take."""
_OF_CLAIM, _OF_ROW = 9_000, 3_500
"""Bytes, about, of a claim without its rows, and of a row."""
_ELEMENTS = 110_000
"""Elements of a page, at most: more of them are not opened at once by a browser."""
_IN_CLAIM, _IN_ROW = 160, 50
"""Elements, about, of a claim without its rows, and of a row."""


class Caps(NamedTuple):
    """How many rows of a list a page shows, at most."""

    against: int
    """Of the rows that speak against a claim."""
    multiples: int
    """Of a head's ranked and random multiples."""
    taste: int = 5
    """Of these, in brief beside a claim."""
    is_narrow: bool = False
    """Whether a row shows fewer tokens around those that are marked."""


def fitting(record: Record) -> Caps:
    """Return how many rows of each list fit on a page that opens at once.

    Rows against claims come first, of which there is one a list at least.
    """
    claims = len(record["claims"])
    room = min((_ROOM - _OF_CLAIM * claims) // _OF_ROW, (_ELEMENTS - _IN_CLAIM * claims) // _IN_ROW)
    against = sum(bool(side["counterexamples"]) for c in record["claims"] for side in sides(c))
    multiples = 2 * len(record["heads"])
    each = max(0, min(_MOST_A_LIST, room // max(1, against + multiples)))
    left = room - max(1, each) * against
    is_crowded = claims > _CROWDED
    return Caps(
        against=max(1, each),
        multiples=max(0, min(each, left // max(1, multiples))),
        taste=2 if is_crowded else 5,
        is_narrow=is_crowded,
    )


def halved(caps: Caps) -> Caps:
    """Return half as many rows a list; of those against claims, one at least.

    >>> halved(Caps(5, 3))[:2], halved(Caps(1, 0))[:2]
    ((2, 1), (1, 0))
    """
    return caps._replace(against=max(1, caps.against // 2), multiples=caps.multiples // 2)
