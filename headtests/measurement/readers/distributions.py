"""The reader of distributions: histograms and moments of every multiple of a few heads.

Counted and summed where the rows are, a document at a time. What is shown of them is `pairs`.
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
"""Pairs sampled beside a distribution, to choose examples from."""
TOGETHER = 2**15 - 1
"""Multiples of a document that a CPU counts together: in its cache, and summed on one core."""
WAITING = 256
"""Blocks whose sums wait on a device before they are put together."""


class DistributionReader:
    """How the multiples of all pairs of some heads are distributed, with a sample of the pairs.

    With `on`, of the pairs of a relation, for which it needs the vocabulary. It looks at every
    pair, so it is meant for a few heads. No document may be read twice for one head.
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
        self._sums: dict[tuple[HeadName, ...], _HeadTotals] = {}

    def read(self, block: Block) -> None:
        """Take in a block; nothing waits for the device."""
        self._samples[block.heads[0].layer].read(block)
        counts = block.rows.new_zeros((len(block.heads), PLACES), dtype=torch.int64)
        parts = [part for part in self._parts(block.tokens, block.rows.device) if part.pairs]
        found = [_of_part(block.rows, part, counts) for part in parts]
        if found:
            pairs = [part.pairs for part in parts for _ in range(part.start, part.stop)]
            sums = self._sums.setdefault(block.heads, _HeadTotals(torch.zeros_like(counts)))
            sums.add(counts, torch.cat(found, 1), pairs)

    def found(self, head: HeadName) -> tuple[Histogram, Moments]:
        """Return how a head's multiples are distributed; of no pair, both are empty.

        Raises `ObservationError` for attention that is no number.
        """
        histogram, moments = Histogram(), Moments()
        for heads, sums in self._sums.items():
            if head in heads:
                sums.add_to(histogram, moments, heads.index(head))
        return histogram, moments

    def sample(self, head: HeadName) -> Pairs:
        """Return a uniform sample of `EXAMPLE_SAMPLE` of a head's pairs, or all if there are fewer."""
        return self._samples[head.layer].pairs(head) or Pairs.empty()

    def _parts(self, tokens: BatchTokens, device: torch.device) -> list["_PairPlaces"]:
        """Return where the pairs of each document are."""
        on = None if self._relation is None else self._relation[1]
        return tokens.remember(
            ("where pairs are", self._options, on, device),
            lambda: list(self._found_parts(tokens, device)),
            lambda parts: sum(part.nbytes for part in parts),
        )

    def _found_parts(self, tokens: BatchTokens, device: torch.device) -> Iterator["_PairPlaces"]:
        if self._relation is None:
            pairs = pairs_of(tokens, self._options)
            # Documents of one length have their pairs at the same places.
            starts = np.flatnonzero(np.diff(tokens.valid.sum(1), prepend=0)).tolist()
        else:
            vocabulary, on = self._relation
            # A relation decides by itself what it takes of key 0: `on=ht.first` asks for it.
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
    """Documents whose pairs are at the same places."""

    start: int
    """The first document's place in its batch."""
    stop: int
    """The place behind the last."""
    pairs: int
    """How many pairs each has."""
    keys: torch.Tensor
    """How many keys each row has, `[query]`."""
    boxes: list[tuple[slice, slice]]
    """Queries and keys every two of which are a pair."""
    index: torch.Tensor
    """The other pairs, as places in a document's rows, flattened."""
    in_row: torch.Tensor
    """How many of those are in each row, `[query]`."""

    @property
    def nbytes(self) -> int:
        """Bytes, but for a few."""
        return self.index.nbytes + self.in_row.nbytes + self.keys.nbytes

    def multiples(self, rows: torch.Tensor) -> Iterator[torch.Tensor]:
        """Yield the multiples, a piece at a time: float64, `[head, document, n]`."""
        rows = rows[:, self.start : self.stop]
        for queries, keys in self.boxes:
            yield (rows[..., queries, keys] * self.keys[queries, None]).flatten(2)
        if len(self.index):
            keys_there = self.keys.repeat_interleave(self.in_row, output_size=len(self.index))
            flat = rows.reshape(rows.shape[0] * rows.shape[1], -1)
            room = TOGETHER if rows.device.type == "cpu" else len(self.index)
            for first in range(0, len(self.index), room):
                piece = slice(first, first + room)
                taken = flat.index_select(1, self.index[piece]) * keys_there[piece]
                yield taken.view(*rows.shape[:2], -1)


def _part_of(
    start: int, stop: int, pairs: Bools, keys: Float64s, boxed: bool, device: torch.device
) -> _PairPlaces:
    """Return where the pairs are, `pairs` `[query, key]`; `boxed` where they stand together."""
    count = int(np.count_nonzero(pairs))
    boxes = list(_boxes(pairs, device)) if boxed and count else []
    left = pairs.copy()
    for box in boxes:
        left[box] = False
    index = np.flatnonzero(left).astype(np.int32 if left.size < 2**31 else np.int64)
    return _PairPlaces(
        start,
        stop,
        count,
        on_device(keys.copy(), device),
        boxes,
        on_device(index, device),
        on_device(np.count_nonzero(left, axis=1), device),
    )


def _boxes(pairs: Bools, device: torch.device) -> Iterator[tuple[slice, slice]]:
    """Yield queries that stand together and the keys that all of them have, where there are such.

    The rows that have keys stand together, and so do each one's keys.
    """
    rows = np.flatnonzero(pairs.any(1))
    length = len(pairs)
    # Of a CPU's cache; a device is given few and large ones.
    step = TOGETHER // length if device.type == "cpu" else length // 4
    firsts = pairs.argmax(1)
    ends = pairs.shape[1] - pairs[:, ::-1].argmax(1)
    for start in range(int(rows[0]), int(rows[-1]) + 1, max(1, step)):
        queries = slice(start, min(start + max(1, step), int(rows[-1]) + 1))
        keys = slice(int(firsts[queries].max()), int(ends[queries].min()))
        if keys.start < keys.stop:
            yield queries, keys


def _of_part(rows: torch.Tensor, part: _PairPlaces, counts: torch.Tensor) -> torch.Tensor:
    """Return each document's sum, sum of squares, least and greatest multiple.

    Of each head, `[head, document, 4]`. And count the multiples by their places,
    `[head, PLACES]`. Neither padding nor the documents and heads beside it change anything, not
    even the order of the sums.
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
    """What was counted and summed of some heads, on their device."""

    def __init__(self, counts: torch.Tensor) -> None:
        self._counts = counts
        self._sums: list[torch.Tensor] = []
        self._pairs: list[int] = []

    def add(self, counts: torch.Tensor, sums: torch.Tensor, pairs: list[int]) -> None:
        """Take in counts by place, and the sums `[head, document, 4]` of so many pairs each."""
        self._counts += counts
        self._sums.append(sums)
        self._pairs += pairs
        if len(self._sums) == WAITING:
            self._sums = [torch.cat(self._sums, 1)]

    def add_to(self, histogram: Histogram, moments: Moments, place: int) -> None:
        """Bring a head's to the CPU and into sketches."""
        sums = torch.cat(self._sums, 1)[place].cpu()
        histogram.add(
            self._counts[place].cpu().numpy(), float(sums[:, 2].amin()), float(sums[:, 3].amax())
        )
        for count, of_document in zip(self._pairs, sums.tolist(), strict=True):
            moments.add(count, *of_document)
