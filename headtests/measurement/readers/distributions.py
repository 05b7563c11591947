"""The reader of distributions: histograms and moments of all multiples of a few heads.

Counts and sums on the device of the rows, one document at a time. `pair_context` chooses the
examples that are shown.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from headtests.claims.definitions import RowOptions
from headtests.corpora import Vocabulary
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.measurement.masks import Bools
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import (
    BatchTokens,
    TokenView,
    keys_of_rows,
    on_device,
    pairs_of,
    rows_of,
)
from headtests.measurement.readers.sampled_pairs import SampleReader
from headtests.statistics.quanta import Float64s
from headtests.statistics.sketches import (
    PLACE_OFFSET,
    PLACE_SHIFT,
    PLACES,
    Histogram,
    Moments,
    Pairs,
)

EXAMPLE_SAMPLE = 512
"""Pairs sampled along with a distribution, from which its examples are chosen."""
TOGETHER = 2**15 - 1
"""Multiples of a document that a CPU processes at once: they fit its cache and use one core."""
WAITING = 256
"""Blocks whose sums stay separate on a device before they are concatenated."""


class DistributionReader:
    """Computes the distribution of the multiples of all pairs of some heads, and a sample.

    With `on`, of the pairs in that relation; this needs the vocabulary. It reads every pair, so it
    is meant for a few heads. No document may be read twice for one head.
    """

    def __init__(
        self,
        options: RowOptions,
        seed: int,
        vocabulary: Vocabulary | None = None,
        on: Expression | None = None,
    ) -> None:
        self._options = options
        self._relation = None if on is None or vocabulary is None else (vocabulary, on)
        # Heads of one layer may attend to the same keys.
        self._samples: defaultdict[int, SampleReader] = defaultdict(
            lambda: SampleReader(options, seed, EXAMPLE_SAMPLE, None, vocabulary, on)
        )
        self._totals: dict[tuple[HeadName, ...], _HeadTotals] = {}

    def read(self, block: Block) -> None:
        """Process a block, without a synchronisation with its device."""
        self._samples[block.heads[0].layer].read(block)
        counts = block.rows.new_zeros((len(block.heads), PLACES), dtype=torch.int64)
        parts = [part for part in self._parts(block.tokens, block.rows.device) if part.pairs]
        sums = [_count_and_sum(block.rows, part, counts) for part in parts]
        if sums:
            pairs = [part.pairs for part in parts for _ in range(part.start, part.stop)]
            totals = self._totals.setdefault(block.heads, _HeadTotals(torch.zeros_like(counts)))
            totals.add(counts, torch.cat(sums, 1), pairs)

    def distribution(self, head: HeadName) -> tuple[Histogram, Moments]:
        """Return the distribution of a head's multiples; without pairs, both are empty.

        Raises `ObservationError` for attention that is NaN.
        """
        histogram, moments = Histogram(), Moments()
        for heads, totals in self._totals.items():
            if head in heads:
                totals.add_to(histogram, moments, heads.index(head))
        return histogram, moments

    def sample(self, head: HeadName) -> Pairs:
        """Return `EXAMPLE_SAMPLE` uniformly sampled pairs of a head; all if there are fewer."""
        return self._samples[head.layer].pairs(head) or Pairs.empty()

    def _parts(self, tokens: BatchTokens, device: torch.device) -> list["_PairPlaces"]:
        """Return the places of the pairs of each document."""
        on = None if self._relation is None else self._relation[1]
        return tokens.cached(
            ("pair places", self._options, on, device),
            lambda: list(self._make_parts(tokens, device)),
            lambda parts: sum(part.nbytes for part in parts),
        )

    def _make_parts(self, tokens: BatchTokens, device: torch.device) -> Iterator["_PairPlaces"]:
        if self._relation is None:
            pairs = pairs_of(tokens, self._options)
            # Documents of the same length have their pairs at the same places.
            starts = np.flatnonzero(np.diff(tokens.valid.sum(1), prepend=0)).tolist()
        else:
            vocabulary, on = self._relation
            # A relation itself decides on key 0: `on=ht.first` selects it.
            pairs = TokenView(tokens, vocabulary, self._options).within(on)
            pairs = pairs & rows_of(tokens, self._options)[:, :, None]
            starts = list(range(len(pairs)))
        keys = keys_of_rows(tokens, self._options)
        for start, stop in pairwise([*starts, len(pairs)]):
            length = len(tokens.batch.documents[start])
            whole = self._relation is None
            yield _part_of(start, stop, pairs[start, :length], keys[start, :length], whole, device)


@dataclass(frozen=True, eq=False)
class _PairPlaces:
    """Consecutive documents of a batch whose pairs are at the same places."""

    start: int
    """The first document's position in its batch."""
    stop: int
    """The position after the last document."""
    pairs: int
    """The number of pairs of each document."""
    keys: torch.Tensor
    """The number of keys of each row, float64 `[query]`."""
    boxes: list[tuple[slice, slice]]
    """Ranges of queries and keys in which every query forms a pair with every key."""
    index: torch.Tensor
    """The other pairs, as indices into a document's flattened rows, `[pair]`."""
    in_row: torch.Tensor
    """The number of other pairs in each row, `[query]`."""

    @property
    def nbytes(self) -> int:
        """Size in bytes, without a few."""
        return self.index.nbytes + self.in_row.nbytes + self.keys.nbytes

    def multiples(self, rows: torch.Tensor) -> Iterator[torch.Tensor]:
        """Yield the multiples in pieces, each float64 `[head, document, n]`."""
        rows = rows[:, self.start : self.stop]
        for queries, keys in self.boxes:
            yield (rows[..., queries, keys] * self.keys[queries, None]).flatten(2)
        if len(self.index):
            pair_keys = self.keys.repeat_interleave(self.in_row, output_size=len(self.index))
            flat = rows.reshape(rows.shape[0] * rows.shape[1], -1)
            step = TOGETHER if rows.device.type == "cpu" else len(self.index)
            for first in range(0, len(self.index), step):
                piece = slice(first, first + step)
                multiples = flat.index_select(1, self.index[piece]) * pair_keys[piece]
                yield multiples.view(*rows.shape[:2], -1)


def _part_of(
    start: int, stop: int, pairs: Bools, keys: Float64s, boxed: bool, device: torch.device
) -> _PairPlaces:
    """Return the places of pairs, boolean `[query, key]`; `boxed` if each row's are contiguous."""
    count = int(np.count_nonzero(pairs))
    boxes = list(_boxes(pairs, device)) if boxed and count else []
    others = pairs.copy()
    for box in boxes:
        others[box] = False
    index = np.flatnonzero(others).astype(np.int32 if others.size < 2**31 else np.int64)
    return _PairPlaces(
        start,
        stop,
        count,
        on_device(keys.copy(), device),
        boxes,
        on_device(index, device),
        on_device(np.count_nonzero(others, axis=1), device),
    )


def _boxes(pairs: Bools, device: torch.device) -> Iterator[tuple[slice, slice]]:
    """Yield ranges of queries, each with the range of keys that all of its rows have.

    The rows with keys must be contiguous, and the keys of each row, too.
    """
    rows = np.flatnonzero(pairs.any(1))
    length = len(pairs)
    # Boxes fit a CPU's cache; other devices get few and large ones.
    step = TOGETHER // length if device.type == "cpu" else length // 4
    firsts = pairs.argmax(1)
    ends = pairs.shape[1] - pairs[:, ::-1].argmax(1)
    for start in range(int(rows[0]), int(rows[-1]) + 1, max(1, step)):
        queries = slice(start, min(start + max(1, step), int(rows[-1]) + 1))
        keys = slice(int(firsts[queries].max()), int(ends[queries].min()))
        if keys.start < keys.stop:
            yield queries, keys


def _count_and_sum(rows: torch.Tensor, part: _PairPlaces, counts: torch.Tensor) -> torch.Tensor:
    """Return each document's sum, sum of squares, least and greatest multiple, and count them.

    The result is float64 `[head, document, 4]`; `counts` by histogram place, int64
    `[head, PLACES]`, are increased in place. Neither padding nor other documents and heads change
    a sum, not even its last bit.
    """
    shape = (len(rows), part.stop - part.start)
    total = rows.new_zeros(shape, dtype=torch.float64)
    squares, greatest, least = total.clone(), total.clone(), torch.full_like(total, math.inf)
    for multiples in part.multiples(rows):
        total += multiples.sum(-1)
        least = torch.minimum(least, multiples.amin(-1))
        greatest = torch.maximum(greatest, multiples.amax(-1))
        places = (multiples.view(torch.int64) >> PLACE_SHIFT).sub_(PLACE_OFFSET)
        places = places.clamp_(0, PLACES - 1).flatten(1)
        counts.scatter_add_(1, places, torch.ones_like(places))
        squares += multiples.square_().sum(-1)
    return torch.stack((total, squares, least, greatest), 2)


class _HeadTotals:
    """Counts and sums of some heads, on their device."""

    def __init__(self, counts: torch.Tensor) -> None:
        self._counts = counts
        self._sums: list[torch.Tensor] = []
        self._pairs: list[int] = []

    def add(self, counts: torch.Tensor, sums: torch.Tensor, pairs: list[int]) -> None:
        """Add counts by place, and sums `[head, document, 4]` of documents with `pairs` pairs."""
        self._counts += counts
        self._sums.append(sums)
        self._pairs += pairs
        if len(self._sums) == WAITING:
            self._sums = [torch.cat(self._sums, 1)]

    def add_to(self, histogram: Histogram, moments: Moments, place: int) -> None:
        """Add the counts and sums of the head at a place to sketches on the CPU."""
        sums = torch.cat(self._sums, 1)[place].cpu()
        histogram.add(
            self._counts[place].cpu().numpy(), float(sums[:, 2].amin()), float(sums[:, 3].amax())
        )
        for count, document_sums in zip(self._pairs, sums.tolist(), strict=True):
            moments.add(count, *document_sums)
