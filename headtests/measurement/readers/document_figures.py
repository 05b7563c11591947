"""Computes from attention rows what each document contributes to a statistic.

The formulas of all statistics, on blocks of any heads, on any device. Nothing here decides claims.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from headtests.claims.definitions import (
    Lift,
    Mass,
    Precision,
    RowOptions,
    RowStatistic,
    Statistic,
    Top1Rate,
)
from headtests.corpora import Vocabulary
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.readers.counted_rows import (
    CountedRows,
    DocumentCounts,
    concatenated_counts,
    counted_rows,
    pairs_on,
)
from headtests.measurement.readers.row_views import RowView
from headtests.measurement.readers.value_weights import evenly_weighted_masses, weighted_masses
from headtests.statistics import DocumentFigures, concatenated, quantise
from headtests.statistics.quanta import Float64s, Int64s

RESTING, ON, OF, STRONG = 0, 1, 2, 2
"""Columns of sums over a document: key 0, pairs in `on`, pairs in `of`, all strong pairs.

A statistic has some of them. The last column of a mass is the sum of whole rows, or 0. A
value-weighted mass has its columns, then those of even attention, then the attention on key 0. For
a statistic of whole rows, `ON` is the sum over rows."""
MASS = 3
"""The number of columns of a mass without `of`."""
FIRST_ROOM = 64
"""Documents of the first allocation."""


class FigureReader:
    """Accumulates what each document contributes to a statistic, for every head it reads.

    With `matched`, the statistic of the distance control (`matched_rows`) in place of the head.
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
        self._sums: dict[tuple[HeadName, ...], _HeadSums] = {}

    def read(self, block: Block) -> None:
        """Process a block, which has norms if the statistic needs values.

        Raises `ClaimError` for an unknown kind of statistic.
        """
        rows = block.rows
        counted = counted_rows(
            block.tokens, self._vocabulary, self._statistic, self._options, rows.device
        )
        view = RowView.of(block)
        measured = view.matched(self._options) if self._matched else view
        columns = (
            _weighted(measured, block.require_norms(), counted)
            if self._statistic.needs_values
            else self._columns(measured, counted)
        )
        if self._by_distance and not self._matched:
            columns += _masses(view.matched(self._options), counted)
        if block.heads not in self._sums:
            self._sums[block.heads] = _HeadSums()
        self._sums[block.heads].add(counted.counts, columns)

    def _columns(self, view: RowView, counted: CountedRows) -> list[torch.Tensor]:
        """Return sums over each document, each float64 `[head, column * document]`."""
        if isinstance(self._statistic, RowStatistic):
            return self._of_whole_rows(view, counted)
        if counted.least is None and not isinstance(self._statistic, Top1Rate):
            return _masses(view, counted)
        columns = [_resting(view, counted)]
        if counted.least is None or counted.least_of_pairs is None:
            device = view.rows.device
            mask = pairs_on(view.tokens, counted, self._statistic, self._options, device)
            hits = mask[view.top_places].float()
            return [*columns, counted.rows.totals(counted.rows.gather(hits))]
        reaching = counted.pairs.gather(view.rows).ge_(counted.least_of_pairs)
        columns.append(counted.pairs.totals(reaching))
        if counted.first is not None:
            # In float32, comparing and counting are ten times as fast as with booleans.
            strong = torch.ge(view.rows, counted.least[:, :, None], out=torch.empty_like(view.rows))
            strong[..., 0] *= counted.first
            columns.append(strong.sum(-1).sum(-1, dtype=torch.float64))
        return columns

    def _of_whole_rows(self, view: RowView, counted: CountedRows) -> list[torch.Tensor]:
        """Return the sums of a statistic of whole rows, each float64 `[head, document]`."""
        if counted.scales is None:
            figures = counted.rows.gather(view.peaks)
        else:
            # Rounding, and a learned sink, may exceed the entropy of even attention.
            figures = counted.rows.gather(view.entropies).mul(counted.scales).clamp_(max=1.0)
        return [_resting(view, counted), counted.rows.totals(figures)]

    def figures(self, head: HeadName, places: Int64s) -> DocumentFigures:
        """Return the figures of every document read that has an eligible row, in a given order.

        `places` has each document's position in that order, indexed by id, shape `[documents]`.
        """
        parts = [
            self._figures(*sums.of(heads.index(head)))
            for heads, sums in self._sums.items()
            if head in heads
        ]
        figures = concatenated([_no_figures(self._statistic), *parts])
        order = np.argsort(places[figures.documents], kind="stable")

        def ordered(column: Int64s | None) -> Int64s | None:
            return None if column is None else column[order]

        return DocumentFigures(
            documents=figures.documents[order],
            numerators=figures.numerators[order],
            denominators=ordered(figures.denominators),
            rows=figures.rows[order],
            base_rates=figures.base_rates[order],
            base_denominators=ordered(figures.base_denominators),
            resting=figures.resting[order],
            sizes=figures.sizes[order],
        )

    def _figures(self, counts: DocumentCounts, sums: Float64s) -> DocumentFigures:
        """Return the figures of the eligible documents; `sums` is float64 `[column, document]`."""
        rows = np.maximum(counts.rows, 1)
        resting, base = sums[RESTING], counts.base
        of_base: Float64s | None = None
        below: Float64s | None = None
        match self._statistic:
            case Lift():
                shares, below = _share(sums[:MASS], counts), counts.base
                if self._by_distance:
                    # With `matched`, the last columns are the control's own.
                    below = _share(sums[-MASS:], counts)
                of_base = below
            case Mass(of=of):
                even = None
                if self._statistic.needs_values:
                    resting, width = sums[-1], MASS + (of is not None)
                    sums, even = sums[:width], sums[width : 2 * width]
                    base = _share(even, counts)
                shares = _share(sums, counts)
                if of is not None:
                    below = _share(sums, counts, OF)
                    of_base = counts.of_base if even is None else _share(even, counts, OF)
                    # Rounding may make a part larger than the whole.
                    shares = np.minimum(shares, below)
            case Precision():
                pairs = np.maximum(counts.pairs, 1)
                shares, below, of_base = sums[ON] / pairs, sums[STRONG] / pairs, counts.of_base
            case Top1Rate() | RowStatistic():
                shares = sums[ON] / rows
            case _:
                shares = sums[ON] / np.maximum(counts.on, 1)
        eligible = counts.rows > 0

        def quanta(figures: Float64s) -> Int64s:
            # Rows of float32 may sum to a little more than 1.
            return quantise(np.clip(figures[eligible], 0.0, 1.0))

        return DocumentFigures(
            documents=counts.documents[eligible],
            numerators=quanta(shares),
            denominators=None if below is None else quanta(below),
            rows=counts.rows[eligible],
            base_rates=quanta(base),
            base_denominators=None if of_base is None else quanta(of_base),
            resting=quanta(resting / rows),
            sizes=np.ones(int(eligible.sum()), dtype=np.int64),
        )


def _no_figures(statistic: Statistic) -> DocumentFigures:
    """Return figures of length 0 with the columns that a statistic has."""
    none = np.zeros(0, dtype=np.int64)
    is_ratio = isinstance(statistic, Lift | Precision) or getattr(statistic, "of", None) is not None
    below = none if is_ratio else None
    return DocumentFigures(none, none, below, none, none, below, none, none)


def _masses(view: RowView, counted: CountedRows) -> list[torch.Tensor]:
    """Return the sums of a mass, each float64 `[head, column * document]`."""
    sums = counted.pairs.totals(counted.pairs.gather(view.rows))
    if counted.counts.inverted.any():
        return [sums, counted.rows.totals(counted.rows.gather(view.totals))]
    return [sums, sums.new_zeros((len(sums), len(counted.counts.rows)))]


def _weighted(view: RowView, norms: torch.Tensor, counted: CountedRows) -> list[torch.Tensor]:
    """Return the sums of a value-weighted mass, each float64 `[head, column * document]`."""
    return [
        *weighted_masses(view.rows, norms, counted),
        *evenly_weighted_masses(view.tokens, norms, counted),
        _resting(view, counted),
    ]


def _resting(view: RowView, counted: CountedRows) -> torch.Tensor:
    return counted.resting.totals(counted.resting.gather(view.rows))


def _share(sums: Float64s, counts: DocumentCounts, column: int = ON) -> Float64s:
    """Return the attention in a column, averaged over a document's rows, shape `[document]`.

    `sums` is `[column, document]`, with the sums of whole rows last.
    """
    inverted = counts.inverted[column - ON]
    mass: Float64s = np.where(inverted, sums[-1] - sums[column], sums[column])
    return mass / np.maximum(counts.rows, 1)


@dataclass(eq=False)
class _HeadSums:
    """Sums of some heads over documents, on their device until they are requested."""

    counts: list[DocumentCounts] = field(default_factory=list)
    documents: int = 0
    sums: torch.Tensor = field(default_factory=lambda: torch.empty((0, 0, 0)))
    """Float64 `[head, column, document]`, allocated for more documents than were read."""
    fetched: Float64s | None = None
    """The same on the CPU; None until requested, and after each new block."""

    def add(self, counts: DocumentCounts, columns: list[torch.Tensor]) -> None:
        """Append the sums of a block's documents, each `[head, column * document]`."""
        start, more = self.documents, len(counts.rows)
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
        self.counts.append(counts)
        self.fetched = None

    def of(self, place: int) -> tuple[DocumentCounts, Float64s]:
        """Return the counts of all documents, and a head's sums, `[column, document]`."""
        if self.fetched is None:
            self.fetched = self.sums[:, :, : self.documents].cpu().numpy()
        return concatenated_counts(self.counts), self.fetched[place]
