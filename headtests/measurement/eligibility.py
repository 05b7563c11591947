"""Which documents of a population a statistic is about, from tokens alone, before any pass.

By the same definition of eligible rows as `measure`, on as few tokens as tell.
"""

from collections.abc import Iterator

import numpy as np

from headtests.claims.definitions import Lift, RowOptions, Statistic
from headtests.corpora import Batch, Document, Population, make_batches
from headtests.expressions import Expression
from headtests.expressions.nodes import leaves
from headtests.expressions.relations import CustomRelation
from headtests.measurement.passes.token_view import (
    BatchTokens,
    Places,
    TokenView,
    allowed_keys,
    uniform_mass,
)
from headtests.models.loaded import LoadedModel
from headtests.statistics import Eligible, quantise
from headtests.statistics.quanta import Int64s

PREFIXES = (16, 64)
"""Tokens of a document that are looked at first: most have an eligible row among them."""
CELLS = 2**21
"""Pairs that are looked at together."""


def eligible(
    model: LoadedModel,
    population: Population,
    order: Int64s,
    layer: int,
    statistic: Statistic,
    options: RowOptions,
) -> Eligible:
    """Return the documents with an eligible row, in the order that is given.

    `order` holds document ids, shape `[documents]`. A lift over uniform attention comes with its
    base rates. Raises `ClaimError` for a statistic of no known kind.
    """
    needs_base = isinstance(statistic, Lift) and statistic.over == "uniform"
    found = np.zeros(len(population), dtype=np.bool_)
    base = np.zeros(len(population))
    left = order[np.argsort(-population.lengths[order], kind="stable")]
    longest = int(population.lengths[left].max(initial=0))
    allowed = allowed_keys(model, layer, longest)
    # What a user's function says of a part of a document need not be what it says of the whole.
    whole = needs_base or _is_custom(statistic.on)
    for length in (longest,) if whole else (*(n for n in PREFIXES if n < longest), longest):
        for batch in _batches(population, left, length, model.pad_id):
            tokens = BatchTokens(batch, allowed[: batch.ids.shape[1], : batch.ids.shape[1]])
            view = TokenView(tokens, population.vocabulary, options)
            rows = view.eligible(statistic)
            ids = np.array([document.id for document in batch.documents])
            found[ids] = rows.any(-1)
            if needs_base:
                base[ids] = uniform_mass(view, view.within(statistic.on), Places.of(rows))
        left = left[~found[left] & (population.lengths[left] > length)]
    kept = order[found[order]]
    return Eligible(
        documents=kept,
        texts=np.asarray(population.index.texts, dtype=np.int64)[kept],
        base_rates=quantise(np.clip(base[kept], 0.0, 1.0)) if needs_base else None,
    )


def _batches(population: Population, chosen: Int64s, length: int, pad_id: int) -> Iterator[Batch]:
    """Yield the beginnings of documents, which are given the longest first, of like length."""
    start = 0
    while start < len(chosen):
        longest = min(length, int(population.lengths[chosen[start]]))
        part = chosen[start : start + max(1, CELLS // longest**2)]
        documents = [
            Document(document.id, document.text_id, document.piece, document.ids[:length])
            for document in map(population.__getitem__, part.tolist())
        ]
        yield from make_batches(documents, len(documents), pad_id)
        start += len(part)


def _is_custom(expression: Expression) -> bool:
    """Return whether a user's function stands anywhere in an expression."""
    return any(isinstance(leaf, CustomRelation) for leaf in leaves(expression))
