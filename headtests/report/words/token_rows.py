"""A pair as a one-dimensional row of tokens: its query, its key and their context.

Chooses the tokens to show, their shades and their tooltips. No HTML.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headtests.records import CounterexampleRecord, PairRecord
from headtests.report.words.text import NAME_LIMIT, Part, plain, token_parts
from headtests.wording import count, share, times

LEVELS = 10
"""The number of shades, two per doubling of the multiple: none at 1x, the darkest from 32x on."""

_WIDE, _NARROW = (8, 5), (4, 2)
"""Tokens shown before and after the query and the key."""

_CLAIMED, _BESIDE = 2, 2
"""Claimed keys of a counterexample that are shown, and tokens on either side of each."""

_SHORTEST_FOLD = 4
"""Fewer tokens are shown rather than folded: the fold would take more room."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a context."""

    position: int
    parts: tuple[Part, ...]
    level: int
    """The shade, from 0 to `LEVELS`."""
    value: str
    """Position, attention and multiple, for a tooltip."""
    multiple: str
    """The multiple alone; empty where the query may not attend to the token."""
    attendable: bool
    query: bool
    key: bool
    claimed: bool
    """Whether the claim is about this key; only in counterexamples."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A run of tokens that are left out."""

    words: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A pair and its row, ready to be drawn."""

    multiple: str
    attention: str
    query: Token
    key: Token
    place: str
    """The document and its text."""
    figure: str
    """A counterexample's own figure; empty for other rows."""
    context: tuple[Token | Fold, ...]


def shade(multiple: float) -> int:
    """Return the shade of a multiple, from 0 to `LEVELS`, on the scale that all rows share.

    >>> [shade(multiple) for multiple in (0.0, 1.0, 2.0, 8.0, 32.0, 1000.0)]
    [0, 0, 2, 6, 10, 10]
    """
    if not multiple > 1:
        return 0
    return min(LEVELS, round(min(2 * math.log2(multiple), LEVELS)))


def row(pair: PairRecord, is_narrow: bool = False) -> TokenRow:
    """Return a pair's row, folded around the query, the key and the first token."""
    return _row(pair, "", (), is_narrow)


def counterexample_row(
    record: CounterexampleRecord, figure: str, is_narrow: bool = False
) -> TokenRow:
    """Return a row that contradicts a claim, with the nearest of the keys that the claim is about.

    `figure` is the row's own figure, in words.
    """
    return _row(record, figure, record["claimed"], is_narrow)


def _row(pair: PairRecord, figure: str, claimed: Sequence[int], is_narrow: bool) -> TokenRow:
    attendable = frozenset(
        position for first, last in pair["attendable"] for position in range(first, last + 1)
    )
    drawn = _Drawn(pair, attendable, frozenset(claimed))
    nearest = sorted(claimed, key=lambda key: (abs(pair["query"] - key), key))[:_CLAIMED]
    return TokenRow(
        multiple=times(pair["multiple"]),
        attention=share(pair["pattern"][pair["key"]]),
        query=drawn.token(pair["query"]),
        key=drawn.token(pair["key"]),
        place=f'document {pair["document"]:,}, text "{plain(pair["text"], NAME_LIMIT)}"',
        figure=figure,
        context=tuple(drawn.context(nearest, *(_NARROW if is_narrow else _WIDE))),
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A pair's row while it is prepared."""

    pair: PairRecord
    attendable: frozenset[int]
    claimed: frozenset[int]

    def context(self, nearest: Sequence[int], before: int, after: int) -> Iterator[Token | Fold]:
        """Yield the tokens around the marked ones, with folds between them."""
        length = len(self.pair["tokens"])
        # Heads rest on position 0, so every row shows it.
        shown = {0}
        for marked in (self.pair["key"], self.pair["query"]):
            shown.update(range(max(0, marked - before), min(length, marked + after + 1)))
        for marked in nearest:
            shown.update(range(max(0, marked - _BESIDE), min(length, marked + _BESIDE + 1)))
        previous = -1
        for position in [*sorted(shown), length]:
            left_out = range(previous + 1, position)
            if len(left_out) < _SHORTEST_FOLD:
                yield from (self.token(filler) for filler in left_out)
            else:
                yield self._fold(left_out)
            if position < length:
                yield self.token(position)
            previous = position

    def _fold(self, left_out: range) -> Fold:
        words = count(len(left_out), "token")
        if not self.attendable.isdisjoint(left_out):
            hidden = math.fsum(self.pair["pattern"][key] for key in left_out)
            words += f", attention {share(hidden)}"
        if more := len(self.claimed.intersection(left_out)):
            words += f", {count(more, 'claimed key')}"
        return Fold(words)

    def token(self, position: int) -> Token:
        """Return one token of the row."""
        attention = self.pair["pattern"][position]
        multiple = attention * len(self.attendable)
        visible = position in self.attendable
        return Token(
            position=position,
            parts=token_parts(self.pair["tokens"][position]),
            level=shade(multiple) if visible else 0,
            value=f"{position}: {share(attention)}, {times(multiple)}"
            if visible
            else f"{position}: not attendable",
            multiple=times(multiple) if visible else "",
            attendable=visible,
            query=position == self.pair["query"],
            key=position == self.pair["key"],
            claimed=position in self.claimed,
        )
