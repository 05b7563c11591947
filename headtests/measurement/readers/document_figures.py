"""From attention rows to what each document contributes to a statistic.

The formulas of every statistic, on blocks of any heads, on whichever device. What the figures
decide is not asked here.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from headtests.claims.definitions import Lift, Mass, Precision, RowOptions, Statistic, Top1Rate
from headtests.corpora import Vocabulary
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.readers.counted_rows import (
    CountedRows,
    DocumentCounts,
    chosen,
    inside,
    together,
)
from headtests.measurement.readers.row_views import RowView
from headtests.statistics import DocumentFigures, concatenated, quantise
from headtests.statistics.quanta import Float64s, Int64s

RESTING, ON, OF, STRONG = 0, 1, 2, 2
"""Sums over a document: at rest, on the pairs in `on`, on those in `of`, on all strong pairs.

Of a mass, whole rows are the last. Which of them there are depends on the statistic."""
MASS = 3
"""How many sums there are of a mass without `of`."""
FIRST_ROOM = 64
"""Documents that there is room for at first."""


class FigureReader:
    """What each document contributes to a statistic, of every head that is read.

    `matched`: the same of attention that follows the head's own average at each distance
    (`matched_rows`).
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        statistic: Statistic,
        options: RowOptions,
        matched: bool = False,
    ) -> None:
        self._vocabulary = vocabulary
        self._statistic = statistic
        self._options = options
        self._matched = matched
        self._by_distance = isinstance(statistic, Lift) and statistic.over == "distance"
        self._gathered: dict[tuple[HeadName, ...], _HeadSums] = {}

    def read(self, block: Block) -> None:
        """Take in a block; raises `ClaimError` for a statistic of no known kind."""
        rows = block.rows
        found = chosen(block.tokens, self._vocabulary, self._statistic, self._options, rows.device)
        seen = RowView.of(block)
        measured = seen.matched(self._options) if self._matched else seen
        columns = self._columns(measured, found)
        if self._by_distance and not self._matched:
            columns += _masses(seen.matched(self._options), found)
        if block.heads not in self._gathered:
            self._gathered[block.heads] = _HeadSums()
        self._gathered[block.heads].add(found.counted, columns)

    def _columns(self, seen: RowView, found: CountedRows) -> list[torch.Tensor]:
        """Return sums over each document, each `[head, column * document]`."""
        if found.least is None and not isinstance(self._statistic, Top1Rate):
            return _masses(seen, found)
        columns = [found.resting.totals(found.resting.taken(seen.rows))]
        if found.least is None or found.least_of_pairs is None:
            device = seen.rows.device
            mask = inside(seen.tokens, found, self._statistic, self._options, device)
            hits = mask[seen.top_places].float()
            return [*columns, found.rows.totals(found.rows.taken(hits))]
        reaching = found.pairs.taken(seen.rows).ge_(found.least_of_pairs)
        columns.append(found.pairs.totals(reaching))
        if found.first is not None:
            # As float32, where comparing and counting are ten times as fast as with booleans.
            strong = torch.ge(seen.rows, found.least[:, :, None], out=torch.empty_like(seen.rows))
            strong[..., 0] *= found.first
            columns.append(strong.sum(-1).sum(-1, dtype=torch.float64))
        return columns

    def figures(self, head: HeadName, places: Int64s) -> DocumentFigures:
        """Return the figures of every document read that has an eligible row, in order.

        `places` has each document's place in that order, shape `[documents]`.
        """
        parts = [
            self._of(*gathered.of(heads.index(head)))
            for heads, gathered in self._gathered.items()
            if head in heads
        ]
        found = concatenated([_nothing(self._statistic), *parts])
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

    def _of(self, counted: DocumentCounts, sums: Float64s) -> DocumentFigures:
        """Return the figures of the eligible documents; `sums` is `[column, document]`."""
        rows = np.maximum(counted.rows, 1)
        of_base: Float64s | None = None
        below: Float64s | None = None
        match self._statistic:
            case Lift():
                shares, below = _share(sums[:MASS], counted), counted.base
                if self._by_distance:
                    # Of the control itself, the control is the same.
                    below = _share(sums[-MASS:], counted)
                of_base = below
            case Mass(of=of):
                shares = _share(sums, counted)
                if of is not None:
                    below, of_base = _share(sums, counted, OF), counted.of_base
                    # SegmentSums of roundings: a part may come out larger than the whole.
                    shares = np.minimum(shares, below)
            case Precision():
                pairs = np.maximum(counted.pairs, 1)
                shares, below, of_base = sums[ON] / pairs, sums[STRONG] / pairs, counted.of_base
            case Top1Rate():
                shares = sums[ON] / rows
            case _:
                shares = sums[ON] / np.maximum(counted.on, 1)
        kept = counted.rows > 0

        def quanta(found: Float64s) -> Int64s:
            # Rows of float32 sum to a little more than 1 at times.
            return quantise(np.clip(found[kept], 0.0, 1.0))

        return DocumentFigures(
            documents=counted.documents[kept],
            numerators=quanta(shares),
            denominators=None if below is None else quanta(below),
            rows=counted.rows[kept],
            base_rates=quanta(counted.base),
            base_denominators=None if of_base is None else quanta(of_base),
            resting=quanta(sums[RESTING] / rows),
            sizes=np.ones(int(kept.sum()), dtype=np.int64),
        )


def _nothing(statistic: Statistic) -> DocumentFigures:
    """Return the figures of no document, with the columns that a statistic has."""
    none = np.zeros(0, dtype=np.int64)
    is_ratio = isinstance(statistic, Lift | Precision) or getattr(statistic, "of", None) is not None
    below = none if is_ratio else None
    return DocumentFigures(none, none, below, none, none, below, none, none)


def _masses(seen: RowView, found: CountedRows) -> list[torch.Tensor]:
    """Return the sums of a mass, each `[head, column * document]`."""
    sums = found.pairs.totals(found.pairs.taken(seen.rows))
    if found.counted.inverted.any():
        return [sums, found.rows.totals(found.rows.taken(seen.totals))]
    return [sums, sums.new_zeros((len(sums), len(found.counted.rows)))]


def _share(sums: Float64s, counted: DocumentCounts, column: int = ON) -> Float64s:
    """Return the attention on some pairs, averaged over a document's rows, shape `[document]`.

    `sums` is `[column, document]`, with that of whole rows last.
    """
    others = counted.inverted[column - ON]
    mass: Float64s = np.where(others, sums[-1] - sums[column], sums[column])
    return mass / np.maximum(counted.rows, 1)


@dataclass(eq=False)
class _HeadSums:
    """What was found of some heads, on their device until it is asked for."""

    counted: list[DocumentCounts] = field(default_factory=list)
    documents: int = 0
    sums: torch.Tensor = field(default_factory=lambda: torch.empty((0, 0, 0)))
    """Float64, `[head, column, document]`, with room for more documents."""
    fetched: Float64s | None = None
    """The same on the CPU, once it was asked for; None where more was read since."""

    def add(self, counted: DocumentCounts, columns: list[torch.Tensor]) -> None:
        """Take in sums, each `[head, column * document]`."""
        start, more = self.documents, len(counted.rows)
        parts = [part.view(len(part), -1, more) for part in columns]
        count = sum(part.shape[1] for part in parts)
        if self.sums.shape[2] < start + more:
            room = max(FIRST_ROOM, 2 * (start + more))
            larger = parts[0].new_empty((len(parts[0]), count, room))
            if start:
                larger[:, :, :start] = self.sums[:, :, :start]
            self.sums = larger
        column = 0
        for part in parts:
            self.sums[:, column : column + part.shape[1], start : start + more] = part
            column += part.shape[1]
        self.documents += more
        self.counted.append(counted)
        self.fetched = None

    def of(self, place: int) -> tuple[DocumentCounts, Float64s]:
        """Return how much there is to count, and a head's sums, `[column, document]`."""
        if self.fetched is None:
            self.fetched = self.sums[:, :, : self.documents].cpu().numpy()
        return together(self.counted), self.fetched[place]
