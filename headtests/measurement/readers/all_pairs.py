"""All pairs of one head with their multiples, for any relation: the general, slower method.

`ranked_pairs`, `sampled_pairs` and `distributions` compute the same for many heads at once.
`headtests.statistics.sketches` keeps some of the pairs, and `pair_context` shows them.
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


def head_pairs(
    blocks: Iterable[Block],
    head: HeadName,
    vocabulary: Vocabulary,
    options: RowOptions,
    on: Expression | None,
    above_average: bool,
    documents: Collection[int] | None = None,
) -> Iterator[Pairs]:
    """Yield the pairs of each block with a head's multiples.

    Pairs of rows from `min_query` on, without key 0 under `suppress_first_token`. `on` and
    `documents` (ids) limit them further, and `above_average` to multiples over 1.
    """
    limit = None if documents is None else np.fromiter(documents, dtype=np.int64)
    for block in blocks:
        ids = np.array([document.id for document in block.batch.documents])
        view = TokenView(block.tokens, vocabulary, options)
        rows, counts = _rows(block, head), block.tokens.counts
        # A relation itself decides on key 0: `on=ht.first` selects it.
        selected = view.pairs if on is None else view.within(on) & view.rows[:, :, None]
        if above_average:
            selected = selected & (rows > average_attention(counts)[:, :, None])
        if limit is not None:
            selected = selected & np.isin(ids, limit)[:, None, None]
        row, query, key = np.unravel_index(np.flatnonzero(selected), selected.shape)
        multiples = rows[row, query, key].astype(np.float64) * counts[row, query]
        yield Pairs.of(ids[row], query, key, multiples)


def _rows(block: Block, head: HeadName) -> Float32s:
    """Return a head's rows on the CPU, float32 `[document, query, key]`."""
    rows: Float32s = block.rows[block.heads.index(head)].cpu().numpy()
    return rows
