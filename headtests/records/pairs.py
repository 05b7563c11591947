"""Pairs of a head in the record, each with its row.

Types, and how positions are packed: nothing is measured, decided or drawn here.
"""

from collections.abc import Iterable

from typing_extensions import TypedDict


class PairRecord(TypedDict):
    """One pair `(document, query, key)` with its row."""

    document: int
    """The index of the document in the population."""
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
    """The positions that the row may attend to, as runs: the first and last position of each."""
    pattern: list[float]
    """The row: attention from the query to each token, in [0, 1], to six digits."""


class CounterexampleRecord(PairRecord):
    """A row that is evidence against a claim that did not hold.

    Its key is the unclaimed key with the most attention. If the claim was that a figure is small,
    it is the key that made it large. For a figure about whole rows, it is the most attended key.
    """

    claimed: list[int]
    """The attendable positions that the statistic is about; none for a figure about whole rows."""
    figure: float
    """The statistic of this row alone. For `top1_rate`, 1 or 0; for `exceed_rate`, `precision` and
    figures of pairs, the multiple of the pair."""


class MultiplesRecord(TypedDict):
    """The distribution of multiples on the pairs of a statistic, and on all others of its rows."""

    edges: list[float]
    """The edges of the bins, ascending. A bin includes its lower edge but not its upper one; the
    last bin includes both."""
    on: list[int]
    """Pairs of the statistic's relation in each bin; of a figure about whole rows, all pairs."""
    others: list[int]
    """The other pairs of the same rows in each bin: the control. For figures of ranked or random
    pairs, the listed pairs outside the relation."""
    threshold: float | None
    """The multiple that corresponds to the claim's threshold. For a mass, the threshold over the
    base rate; for a rate of multiples, the smallest multiple that counts. Null if there is none, as
    for a share of part of the attention."""


class HeadRecord(TypedDict):
    """One head on one model and corpus: its multiples, ranked and random."""

    key: str
    """The key by which claims refer to it; unique in the record."""
    session: str
    """The key of the session that it was measured in."""
    name: str
    """Such as `L1H3`."""
    documents: int
    """The number of documents that the pairs are from: the first of the pass, as many as its claims
    needed."""
    above_average_pairs: int
    """The number of pairs of those documents with a multiple over 1."""
    sink_share: float | None
    """The attention on learned sinks that are not tokens, averaged over those documents; null for a
    model without sinks."""
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
