"""The pairs of one head's blocks with their multiples: the general way, of any relation.

`ranking`, `pool` and `histograms` find the same of many heads at once. Keeping some of the pairs
is `headtests.statistics.sketches`, and showing them `context`.
"""

from collections.abc import Collection, Iterable, Iterator

import numpy as np

from headtests.claims.definitions import RowOptions
from headtests.corpora import Vocabulary
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import Float32s, TokenView
from headtests.measurement.readers.counted_rows import average_attention
from headtests.statistics.sketches import Pairs


def columns(
    blocks: Iterable[Block],
    head: HeadName,
    vocabulary: Vocabulary,
    options: RowOptions,
    on: Expression | None,
    above_average: bool,
    documents: Collection[int] | None = None,
) -> Iterator[Pairs]:
    """Yield the pairs of each block with a head's multiples.

    Those of rows from `min_query` on, limited to a relation and to some documents where these are
    given, without key 0 under `suppress_first_token`, and only those over 1 where `above_average`.
    """
    limit = None if documents is None else np.fromiter(documents, dtype=np.int64)
    for block in blocks:
        ids = np.array([document.id for document in block.batch.documents])
        view = TokenView(block.tokens, vocabulary, options)
        rows, counts = _rows(block, head), block.tokens.counts
        # A relation decides by itself what it takes of key 0: `on=ht.first` asks for it.
        chosen = view.pairs if on is None else view.within(on) & view.rows[:, :, None]
        if above_average:
            chosen = chosen & (rows > average_attention(counts)[:, :, None])
        if limit is not None:
            chosen = chosen & np.isin(ids, limit)[:, None, None]
        row, query, key = np.unravel_index(np.flatnonzero(chosen), chosen.shape)
        multiples = rows[row, query, key].astype(np.float64) * counts[row, query]
        yield Pairs.of(ids[row], query, key, multiples)


def _rows(block: Block, head: HeadName) -> Float32s:
    """Return a head's rows on the CPU, `[document, query, key]`."""
    rows: Float32s = block.rows[block.heads.index(head)].cpu().numpy()
    return rows
