"""From attention rows to what each document contributes to a statistic.

The formulas of every statistic, on one head's blocks. What the figures decide is not asked here.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from headtests.claims import Lift, Precision, RowOptions, Statistic, Top1Rate
from headtests.corpora import Vocabulary
from headtests.masks import Bools
from headtests.statistics import DocumentFigures, concatenated, quantise
from headtests.statistics.quanta import Float64s, Int64s
from headtests.sweep.chosen import Chosen, chosen
from headtests.sweep.forward import Block
from headtests.sweep.matched import matched_rows
from headtests.sweep.tokens import Float32s, Places


def document_figures(
    blocks: Iterable[Block],
    vocabulary: Vocabulary,
    statistic: Statistic,
    options: RowOptions,
    places: Int64s,
    matched: bool = False,
) -> DocumentFigures:
    """Return the figures of every document that has an eligible row, in the order of the pass.

    `places` has each document's place in that order, shape `[documents]`. `matched`: the same of
    attention that follows the head's own average at each distance (`matched_rows`). Raises
    `ClaimError` for a statistic of no known kind.
    """
    parts = [_of_block(block, vocabulary, statistic, options, matched) for block in blocks]
    found = concatenated([_nothing(statistic), *parts])
    order = np.argsort(places[found.documents], kind="stable")

    def ordered(column: Int64s | None) -> Int64s | None:
        return None if column is None else column[order]

    return DocumentFigures(
        documents=found.documents[order],
        numerators=found.numerators[order],
        denominators=ordered(found.denominators),
        rows=found.rows[order],
        base_rates=found.base_rates[order],
        base_denominators=ordered(found.base_denominators),
        resting=found.resting[order],
        sizes=found.sizes[order],
    )


def _nothing(statistic: Statistic) -> DocumentFigures:
    """Return the figures of no document, with the columns that a statistic has."""
    none = np.zeros(0, dtype=np.int64)
    is_ratio = isinstance(statistic, Lift | Precision) or getattr(statistic, "of", None) is not None
    below = none if is_ratio else None
    return DocumentFigures(none, none, below, none, none, below, none, none)


def _of_block(
    block: Block,
    vocabulary: Vocabulary,
    statistic: Statistic,
    options: RowOptions,
    matched: bool,
) -> DocumentFigures:
    found = chosen(block.tokens, vocabulary, statistic, options)
    rows = block.rows.numpy()
    by_distance = isinstance(statistic, Lift) and statistic.over == "distance"
    control = matched_rows(block, options) if matched or by_distance else rows
    rows = control if matched else rows
    numerators, denominators = _shares(rows, found, statistic, block)
    base, of_base = found.base, found.of_base
    if by_distance:
        denominators = of_base = _mass(control, found.on, found.rows)
    elif isinstance(statistic, Lift):
        denominators = of_base = base
    kept = found.rows.counts > 0

    def quanta(shares: Float64s) -> Int64s:
        # Rows of float32 sum to a little more than 1 at times.
        return quantise(np.clip(shares[kept], 0.0, 1.0))

    ids = np.array([document.id for document in block.batch.documents], dtype=np.int64)
    return DocumentFigures(
        documents=ids[kept],
        numerators=quanta(numerators),
        denominators=None if denominators is None else quanta(denominators),
        rows=found.rows.counts[kept],
        base_rates=quanta(base),
        base_denominators=None if of_base is None else quanta(of_base),
        resting=quanta(_averages(found.rows, _at(rows[:, :, 0], found.rows), found.rows)),
        sizes=np.ones(int(kept.sum()), dtype=np.int64),
    )


def _shares(
    rows: Float32s, found: Chosen, statistic: Statistic, block: Block
) -> tuple[Float64s, Float64s | None]:
    """Return numerators and denominators of each document, shape `[batch]`; None for 1."""
    if isinstance(statistic, Top1Rate):
        return _averages(found.rows, _topmost(rows, found, block), found.rows), None
    if found.least is None:
        mass = _mass(rows, found.on, found.rows)
        if found.of is None:
            return mass, None
        whole = _mass(rows, found.of, found.rows)
        # Sums of roundings: a part may come out larger than the whole.
        return np.minimum(mass, whole), whole
    hits = found.on.sums(_reaches(rows, found.on, found.least))
    if found.pairs is None or found.first is None:
        return hits / np.maximum(found.on.counts, 1), None
    strong = rows >= found.least[:, :, None]
    strong[:, :, 0] &= found.first
    pairs = np.maximum(found.pairs, 1)
    return hits / pairs, np.array([np.count_nonzero(part) for part in strong]) / pairs


def _averages(places: Places, values: npt.NDArray[np.generic], rows: Places) -> Float64s:
    """Return the sum of each document's values over its number of rows, shape `[batch]`."""
    return places.sums(values) / np.maximum(rows.counts, 1)


def _at(attention: Float32s, places: Places) -> Float32s:
    """Return the attention at some places, in their order."""
    return attention.reshape(-1)[places.flat]


def _mass(attention: Float32s, pairs: Places, rows: Places) -> Float64s:
    """Return the attention on some pairs, averaged over a document's rows, shape `[batch]`."""
    return _averages(pairs, _at(attention, pairs), rows)


def _reaches(attention: Float32s, pairs: Places, least: Float32s) -> Bools:
    """Return which pairs have at least the attention that their row asks, shape `[pairs]`."""
    reaches: Bools = _at(attention, pairs) >= least.reshape(-1)[pairs.flat // least.shape[1]]
    return reaches


def _topmost(attention: Float32s, found: Chosen, block: Block) -> Bools:
    """Return of which rows the most attended key is among the pairs, shape `[rows]`."""
    length = attention.shape[1]
    rows = found.rows.flat.astype(np.int64)
    lines = attention.reshape(-1, length)
    # argmax returns the first of equals, which is the lower key.
    top = lines.argmax(-1)[rows]
    if (lines[rows, top] <= 0).any():
        # Of a row without any attention, the lowest key that it may attend to.
        attendable = block.tokens.attendable.reshape(-1, length)
        top = np.where(attendable, lines, np.float32(-1)).argmax(-1)[rows]
    hits: Bools = np.isin(rows * length + top, found.on.flat, assume_unique=True)
    return hits
