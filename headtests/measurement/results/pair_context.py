"""Pairs in their context: their document's tokens, their attention row, and relations."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from headtests.claims.definitions import RowOptions
from headtests.claims.pairs import DistributionSketch, Pair, QuantileBand
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.measurement.masks import Bools
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.passes.token_view import Float32s, TokenView
from headtests.statistics.sketches import Pairs

BANDS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""The quantiles that bound the bands of a distribution."""
EXAMPLES = 3
"""The number of examples of each band."""


def in_context(
    document_pass: DocumentPass, head: HeadName, pairs: Pairs, rows: Sequence[Float32s]
) -> list[Pair]:
    """Return pairs with their documents' tokens and their rows, in the same order.

    `rows` has each pair's attention row, float32 `[key]`.
    """
    allowed = document_pass.allowed(head.layer)
    columns = (pairs.documents, pairs.queries, pairs.keys, pairs.multiples)
    result = []
    for document_id, query, key, multiple, row in zip(
        *(column.tolist() for column in columns), rows, strict=True
    ):
        document = document_pass.population[document_id]
        tokens = tuple(document_pass.population.vocabulary.texts(document.ids))
        result.append(
            Pair(
                token=tokens[key],
                multiple=multiple,
                document=document.id,
                text=document.text_id,
                query=query,
                key=key,
                tokens=tokens,
                attendable=tuple(np.flatnonzero(allowed[query, : len(document)]).tolist()),
                pattern=tuple(row.tolist()),
            )
        )
    return result


def in_relation(
    document_pass: DocumentPass,
    head: HeadName,
    pairs: Pairs,
    relation: Expression,
    options: RowOptions,
) -> list[bool]:
    """Return for each pair whether it is in a relation; nothing runs."""
    rows = _rows_within(document_pass, head, pairs, relation, options)
    return [bool(row[key]) for row, key in zip(rows, pairs.keys.tolist(), strict=True)]


def keys_within(
    document_pass: DocumentPass,
    head: HeadName,
    pairs: Pairs,
    relation: Expression,
    options: RowOptions,
) -> list[list[int]]:
    """Return the attendable keys in a relation in each pair's row."""
    rows = _rows_within(document_pass, head, pairs, relation, options)
    return [np.flatnonzero(row).tolist() for row in rows]


def _rows_within(
    document_pass: DocumentPass,
    head: HeadName,
    pairs: Pairs,
    relation: Expression,
    options: RowOptions,
) -> list[Bools]:
    """Return which keys of each pair's row are in a relation, each boolean `[key]`."""
    places: dict[int, list[int]] = {}
    for place, document in enumerate(pairs.documents.tolist()):
        places.setdefault(document, []).append(place)
    result: dict[int, Bools] = {}
    for tokens in document_pass.tokens_of(head.layer, places):
        within = TokenView(tokens, document_pass.population.vocabulary, options).within(relation)
        for row, document in enumerate(tokens.batch.documents):
            for place in places.get(document.id, ()):
                result[place] = within[row, pairs.queries[place]].copy()
    return [result[place] for place in range(len(pairs))]


def banded(sketch: DistributionSketch) -> tuple[list[tuple[float, float]], list[Pairs]]:
    """Return the least and greatest multiple of each band, and each band's examples."""
    edges = [
        (sketch.histogram.quantile(low) or 0.0, sketch.histogram.quantile(high) or 0.0)
        for low, high in pairwise(BANDS)
    ]
    examples = [
        _between(sketch.sample, *edge, last=number == len(edges) - 1)
        for number, edge in enumerate(edges)
    ]
    return edges, examples


def _between(pairs: Pairs, low: float, high: float, last: bool) -> Pairs:
    below = pairs.multiples <= high if last else pairs.multiples < high
    return pairs.take(np.flatnonzero((pairs.multiples >= low) & below)[:EXAMPLES])


def bands_of(
    edges: Sequence[tuple[float, float]], examples: Sequence[Pairs], shown: Sequence[Pair]
) -> list[QuantileBand]:
    """Return bands with their examples in context; `shown` has all examples, band after band."""
    remaining = iter(shown)
    return [
        QuantileBand(low, high, edge, tuple(next(remaining) for _ in range(len(part))))
        for (low, high), edge, part in zip(pairwise(BANDS), edges, examples, strict=True)
    ]
