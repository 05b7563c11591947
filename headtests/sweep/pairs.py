"""Pairs of one head's blocks: ranked, sampled, distributed, and shown in their context.

Which pairs exist and what their multiples are. Keeping the best of them is
`headtests.sketches`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from headtests.claims import RowOptions
from headtests.corpora import Vocabulary
from headtests.expressions import Expression
from headtests.head_names import HeadName
from headtests.multiples import Distribution, Pair, QuantileBand
from headtests.sketches import Histogram, Moments, Pairs, RankedPairs, SampledPairs
from headtests.sweep.chosen import average_attention
from headtests.sweep.forward import Block, Sweep
from headtests.sweep.tokens import TokenView

BANDS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""The quantiles between which a distribution gives examples."""
EXAMPLES = 3
"""Examples of each band."""
SAMPLED = 512
"""Pairs sampled for a distribution, to choose the examples from."""


def columns(
    blocks: Iterable[Block],
    vocabulary: Vocabulary,
    options: RowOptions,
    on: Expression | None,
    above_average: bool,
    documents: Collection[int] | None = None,
) -> Iterator[Pairs]:
    """Yield the pairs of each block with their multiples.

    Those of rows from `min_query` on, limited to a relation and to some documents where these are
    given, without key 0 under `suppress_first_token`, and only those over 1 where `above_average`.
    """
    limit = None if documents is None else np.fromiter(documents, dtype=np.int64)
    for block in blocks:
        ids = np.array([document.id for document in block.batch.documents])
        view = TokenView(block.tokens, vocabulary, options)
        rows, counts = block.rows.numpy(), block.tokens.counts
        # A relation decides by itself what it takes of key 0: `on=ht.first` asks for it.
        chosen = view.pairs if on is None else view.within(on) & view.rows[:, :, None]
        if above_average:
            chosen = chosen & (rows > average_attention(counts)[:, :, None])
        if limit is not None:
            chosen = chosen & np.isin(ids, limit)[:, None, None]
        row, query, key = np.unravel_index(np.flatnonzero(chosen), chosen.shape)
        multiples = rows[row, query, key].astype(np.float64) * counts[row, query]
        yield Pairs.of(ids[row], query, key, multiples)


def ranked(parts: Iterable[Pairs], size: int, reverse: bool) -> Pairs:
    """Return the pairs of highest multiple, or of lowest, best first."""
    sketch = RankedPairs(size, reverse)
    for part in parts:
        sketch.update(part)
    return sketch.pairs


def sampled(parts: Iterable[Pairs], size: int, seed: int) -> Pairs:
    """Return a uniform sample of the pairs that depends on the seed alone."""
    sketch = SampledPairs(size, seed)
    for part in parts:
        sketch.update(part)
    return sketch.pairs


def overview(parts: Iterable[Pairs], size: int, seed: int) -> tuple[Pairs, Pairs, int]:
    """Return the highest-ranked pairs, a uniform sample, and how many pairs there are."""
    best, sample, count = RankedPairs(size), SampledPairs(size, seed), 0
    for part in parts:
        best.update(part)
        sample.update(part)
        count += len(part)
    return best.pairs, sample.pairs, count


def in_context(sweep: Sweep, head: HeadName, pairs: Pairs) -> list[Pair]:
    """Return pairs with their tokens and rows, in the same order."""
    by_document: dict[int, list[int]] = {}
    for place, document in enumerate(pairs.documents.tolist()):
        by_document.setdefault(document, []).append(place)
    result: dict[int, Pair] = {}
    for block in sweep.block_of(head, list(by_document)):
        for row, document in enumerate(block.batch.documents):
            for place in by_document.get(document.id, ()):
                query, key = int(pairs.queries[place]), int(pairs.keys[place])
                tokens = tuple(sweep.population.vocabulary.texts(document.ids))
                attendable = np.flatnonzero(block.tokens.attendable[row, query]).tolist()
                result[place] = Pair(
                    token=tokens[key],
                    multiple=float(pairs.multiples[place]),
                    document=document.id,
                    text=document.text_id,
                    query=query,
                    key=key,
                    tokens=tokens,
                    attendable=tuple(attendable),
                    pattern=tuple(block.rows[row, query, : len(document)].tolist()),
                )
    return [result[place] for place in range(len(pairs))]


def distribution(
    sweep: Sweep, head: HeadName, parts: Iterable[Pairs], seed: int
) -> Distribution | None:
    """Return how multiples are distributed, with examples; None where there are no pairs."""
    histogram, moments, sample = Histogram(), Moments(), SampledPairs(SAMPLED, seed)
    for part in parts:
        histogram.update(part.multiples)
        moments.update(part.multiples)
        sample.update(part)
    if not moments.count:
        return None
    bands = []
    for low, high in pairwise(BANDS):
        edges = (histogram.quantile(low) or 0.0, histogram.quantile(high) or 0.0)
        bands.append((low, high, edges, _between(sample.pairs, edges, last=high == 1.0)))
    shown = in_context(sweep, head, Pairs.concatenate(pairs for *_, pairs in bands))
    return Distribution(histogram, moments, _banded(bands, shown))


def _between(pairs: Pairs, edges: tuple[float, float], last: bool) -> Pairs:
    low, high = edges
    below = pairs.multiples <= high if last else pairs.multiples < high
    return pairs.take(np.flatnonzero((pairs.multiples >= low) & below)[:EXAMPLES])


def _banded(
    bands: Sequence[tuple[float, float, tuple[float, float], Pairs]], shown: Sequence[Pair]
) -> list[QuantileBand]:
    result, start = [], 0
    for low, high, edges, pairs in bands:
        result.append(QuantileBand(low, high, edges, tuple(shown[start : start + len(pairs)])))
        start += len(pairs)
    return result


def in_relation(
    sweep: Sweep, head: HeadName, pairs: Sequence[Pair], relation: Expression, options: RowOptions
) -> list[bool]:
    """Return of each pair whether it lies in a relation."""
    places: dict[int, list[int]] = {}
    for place, pair in enumerate(pairs):
        places.setdefault(pair.document, []).append(place)
    result = [False] * len(pairs)
    for tokens in sweep.tokens_of(head, places):
        within = TokenView(tokens, sweep.population.vocabulary, options).within(relation)
        for row, document in enumerate(tokens.batch.documents):
            for place in places.get(document.id, ()):
                result[place] = bool(within[row, pairs[place].query, pairs[place].key])
    return result
