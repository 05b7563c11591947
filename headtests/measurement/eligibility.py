"""Finds the documents that a statistic counts, from tokens alone, before any pass.

Uses the definition of eligible rows in `token_view`, on as few tokens of a document as suffice.
"""

from collections.abc import Iterator

import numpy as np

from headtests.claims.definitions import Lift, Mass, RelationStatistic, RowOptions, Statistic
from headtests.corpora import Batch, Document, Population, make_batches
from headtests.expressions.nodes import leaves
from headtests.measurement.passes.token_view import (
    BatchTokens,
    Places,
    TokenView,
    allowed_keys,
    uniform_masses,
)
from headtests.models.loaded import LoadedModel
from headtests.statistics import Eligible, quantise
from headtests.statistics.quanta import Int64s

PREFIXES = (16, 64)
"""Numbers of tokens that are tried first: most documents have an eligible row among them."""
CELLS = 2**21
"""The most pairs that are processed at once, except for a single larger document."""


def eligible(
    model: LoadedModel,
    population: Population,
    order: Int64s,
    layer: int,
    statistic: Statistic,
    options: RowOptions,
    with_base: bool = False,
) -> Eligible:
    """Return the documents with an eligible row, in the order of `order`.

    `order` has document ids, shape `[documents]`. For a lift over uniform attention, and for a mass
    `with_base`, the result has base rates. Raises `ClaimError` for an unknown kind of statistic.
    """
    needs_base = with_base or (isinstance(statistic, Lift) and statistic.over == "uniform")
    is_ratio = isinstance(statistic, Mass) and statistic.of is not None
    is_eligible = np.zeros(len(population), dtype=np.bool_)
    base, of_base = np.zeros(len(population)), np.zeros(len(population))
    remaining = order[np.argsort(-population.lengths[order], kind="stable")]
    longest = int(population.lengths[remaining].max(initial=0))
    allowed = allowed_keys(model, layer, longest)
    # A relation may be something else on a part of a document than on the whole.
    whole = needs_base or (
        isinstance(statistic, RelationStatistic)
        and any(leaf.reads_ahead for leaf in leaves(statistic.on))
    )
    for length in (longest,) if whole else (*(n for n in PREFIXES if n < longest), longest):
        for batch in _batches(population, remaining, length, model.pad_id):
            tokens = BatchTokens(batch, allowed[: batch.ids.shape[1], : batch.ids.shape[1]])
            view = TokenView(tokens, population.vocabulary, options)
            rows = view.eligible(statistic)
            ids = np.array([document.id for document in batch.documents])
            is_eligible[ids] = rows.any(-1)
            if needs_base and isinstance(statistic, RelationStatistic):
                base[ids], of_base[ids] = uniform_masses(view, statistic, Places.of(rows))
        undecided = ~is_eligible[remaining] & (population.lengths[remaining] > length)
        remaining = remaining[undecided]
    documents = order[is_eligible[order]]
    base, of_base = (np.clip(column[documents], 0.0, 1.0) for column in (base, of_base))
    return Eligible(
        documents=documents,
        texts=np.asarray(population.index.texts, dtype=np.int64)[documents],
        base_rates=quantise(base) if needs_base else None,
        base_denominators=quantise(of_base) if needs_base and is_ratio else None,
    )


def _batches(population: Population, ids: Int64s, length: int, pad_id: int) -> Iterator[Batch]:
    """Yield the first `length` tokens of documents, whose ids are given longest first."""
    start = 0
    while start < len(ids):
        longest = min(length, int(population.lengths[ids[start]]))
        part = ids[start : start + max(1, CELLS // longest**2)]
        documents = [
            Document(document.id, document.text_id, document.piece, document.ids[:length])
            for document in map(population.__getitem__, part.tolist())
        ]
        yield from make_batches(documents, len(documents), pad_id)
        start += len(part)
