"""A pair of the record as a 1D row: the context's tokens, the query and the key among them.

Which tokens to show, how strongly to shade them, and what to say of each. No HTML.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from headtests.records import PairRecord
from headtests.report.figures import count, share, times
from headtests.report.text import NAME_LIMIT, Part, plain, token_parts

LEVELS = 10
"""Shades above none, each half a doubling of the multiple: 1x is bare, 32x and more is full."""

_BEFORE, _AFTER = 8, 5
"""Tokens shown on either side of the query and of the key."""

_SHORTEST_FOLD = 4
"""A fold of fewer tokens takes more room than the tokens."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a context."""

    position: int
    parts: tuple[Part, ...]
    level: int
    """The shade, from 0 to `LEVELS`."""
    value: str
    """Position, attention and multiple, in words short enough for a tooltip."""
    attendable: bool
    query: bool
    key: bool


@dataclass(frozen=True, slots=True)
class Fold:
    """A stretch of tokens left out."""

    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """A pair with the row that it stands in, ready to be drawn."""

    multiple: str
    attention: str
    query: Token
    key: Token
    place: str
    """The document and its text."""
    context: tuple[Token | Fold, ...]


def shade(multiple: float) -> int:
    """Return the shade of a multiple on the report's one scale, from 0 to `LEVELS`.

    >>> [shade(multiple) for multiple in (0.0, 1.0, 2.0, 8.0, 32.0, 1000.0)]
    [0, 0, 2, 6, 10, 10]
    """
    if not multiple > 1:
        return 0
    return min(LEVELS, round(min(2 * math.log2(multiple), LEVELS)))


def row(pair: PairRecord) -> Row:
    """Return a pair's row, folded around the query, the key and the first token."""
    attendable = frozenset(pair["attendable"])
    return Row(
        multiple=times(pair["multiple"]),
        attention=share(pair["pattern"][pair["key"]]),
        query=_token(pair, pair["query"], attendable),
        key=_token(pair, pair["key"], attendable),
        place=f'document {pair["document"]:,}, text "{plain(pair["text"], NAME_LIMIT)}"',
        context=tuple(_context(pair, attendable)),
    )


def _context(pair: PairRecord, attendable: frozenset[int]) -> Iterator[Token | Fold]:
    length = len(pair["tokens"])
    # Position 0 is where a head rests: what lies there is worth a glance on every row.
    shown = {0}
    for marked in (pair["key"], pair["query"]):
        shown.update(range(max(0, marked - _BEFORE), min(length, marked + _AFTER + 1)))
    previous = -1
    for position in [*sorted(shown), length]:
        left_out = range(previous + 1, position)
        if len(left_out) < _SHORTEST_FOLD:
            yield from (_token(pair, filler, attendable) for filler in left_out)
        else:
            yield _fold(pair, left_out, attendable)
        if position < length:
            yield _token(pair, position, attendable)
        previous = position


def _fold(pair: PairRecord, left_out: range, attendable: frozenset[int]) -> Fold:
    words = count(len(left_out), "token")
    if not attendable.isdisjoint(left_out):
        words += f", attention {share(math.fsum(pair['pattern'][k] for k in left_out))}"
    return Fold(words)


def _token(pair: PairRecord, position: int, attendable: frozenset[int]) -> Token:
    attention = pair["pattern"][position]
    multiple = attention * len(attendable)
    visible = position in attendable
    return Token(
        position=position,
        parts=token_parts(pair["tokens"][position]),
        level=shade(multiple) if visible else 0,
        value=f"{position}: {share(attention)}, {times(multiple)}"
        if visible
        else f"{position}: not attendable",
        attendable=visible,
        query=position == pair["query"],
        key=position == pair["key"],
    )
