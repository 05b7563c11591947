"""Pairs of a head in the record, each with the row that it stands in.

Shapes, and how positions are packed: nothing is measured, decided or drawn here.
"""

from collections.abc import Iterable

from typing_extensions import TypedDict


class PairRecord(TypedDict):
    """One pair `(document, query, key)` with the row that it stands in."""

    document: int
    """The document's place in the population."""
    text: str
    """The id of the document's text."""
    query: int
    key: int
    token: str
    """The key's token."""
    multiple: float
    """`pattern[key]` times the number of keys that the row may attend to."""
    tokens: list[str]
    """The document's tokens, special ones included."""
    attendable: list[list[int]]
    """The positions that the row may attend to, as runs: the first and the last of each."""
    pattern: list[float]
    """The row: attention from the query to each token, in [0, 1], to six digits."""


class CounterexampleRecord(PairRecord):
    """A row that speaks against a claim which did not hold; its key is where it looked instead.

    Where the claim was that a figure is small, the key is the one that made it large.
    """

    claimed: list[int]
    """The positions that the statistic is about, of those that the row may attend to."""
    figure: float
    """What the statistic comes to in this row alone: of a rate of most attended keys, 1 or 0; of a
    rate of multiples, a precision and figures of pairs, the multiple of the pair."""


class MultiplesRecord(TypedDict):
    """How multiples are distributed on the pairs of a statistic, and on all others of its rows."""

    edges: list[float]
    """The edges of the bins, ascending: a bin holds what is at least the one and under the next,
    the last bin also its upper edge."""
    on: list[int]
    """Pairs of the statistic's relation in each bin."""
    others: list[int]
    """The other pairs of the same rows in each bin: the control. Of figures of ranked or random
    pairs, those of them that lie outside the relation."""
    threshold: float | None
    """The multiple that the claim turns on: of a mass, what the threshold is of the base rate; of a
    rate of multiples, the multiple from which on a pair counts. Null where there is none, as of a
    share of some of the attention."""


class HeadRecord(TypedDict):
    """One head on one model and corpus: its multiples, ranked and random."""

    key: str
    """What claims refer to it by; unique in the record."""
    session: str
    """The key of the session that it was measured in."""
    name: str
    """Such as `L1H3`."""
    documents: int
    """The first so many documents of the pass, which the pairs are from: as many as its claims
    needed."""
    above_average_pairs: int
    """How many pairs of those documents have a multiple over 1."""
    sink_share: float | None
    """What its rows leave, on average over those documents, to learned sinks that are no token;
    None of a model without them."""
    suppress_first_token: bool
    min_query: int
    ranked: list[PairRecord]
    random: list[PairRecord]


def runs(positions: Iterable[int]) -> list[list[int]]:
    """Return ascending positions as runs: the first and the last of each.

    >>> runs([0, 1, 2, 5, 7, 8])
    [[0, 2], [5, 5], [7, 8]]
    """
    spans: list[list[int]] = []
    for position in positions:
        if spans and position == spans[-1][1] + 1:
            spans[-1][1] = position
        else:
            spans.append([position, position])
    return spans
