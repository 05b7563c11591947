"""The reader of a hashed sample of pairs: the same pairs for every head, known from tokens alone.

Chooses the pairs and reads each head's attention on them. Samples that are drawn from it are
exactly those of `SampledPairs`.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
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
    ids_of,
    keys_of_rows,
    on_device,
)
from headtests.statistics.hashing import UInt64s, keyed_hash
from headtests.statistics.quanta import Float64s, Int64s
from headtests.statistics.sketches import Pairs, SampledPairs

EVERY_HASH = 2**64 - 1
"""The greatest 64-bit hash."""
HASHED = 2**15
"""Pairs that are hashed at once, so that they fit the CPU's cache."""
MARGIN = 6
"""Standard deviations by which a sample exceeds its size, so that it is not too small."""


def number_of_pairs(allowed: Bools, lengths: Int64s, options: RowOptions) -> int:
    """Return the number of pairs of all documents together.

    `allowed` has the keys that each row may attend to without padding, boolean `[query, key]`, and
    `lengths` the number of tokens of each document, `[document]`.

    >>> options = RowOptions(suppress_first_token=True)
    >>> number_of_pairs(np.tri(4, dtype=bool), np.array([4, 2]), options)
    7
    """
    first = int(options.suppress_first_token)
    total = 0
    for length, documents in zip(*np.unique(lengths, return_counts=True), strict=True):
        keys = allowed[options.min_query : length, first:length]
        total += int(documents) * int(np.count_nonzero(keys))
    return total


class SampleReader:
    """Reads the attention of heads on the `size` pairs of smallest hash, and on some more.

    All heads must be able to attend to the same keys. `pairs` is the number of all pairs of a head,
    if known; then hardly more pairs are read than are kept. With `on`, only pairs in that relation
    are sampled; this needs the vocabulary. Reading a document again changes nothing.
    """

    def __init__(
        self,
        options: RowOptions,
        seed: int,
        size: int = 100_000,
        pairs: int | None = None,
        vocabulary: Vocabulary | None = None,
        on: Expression | None = None,
    ) -> None:
        self._options = options
        self._seed = seed
        # Raises the error for an invalid size or seed before anything runs.
        self._size = SampledPairs(size, seed).size
        self._relation = None if on is None or vocabulary is None else (vocabulary, on)
        self._ceiling = EVERY_HASH
        if pairs is not None and pairs > size:
            target = size + MARGIN * math.isqrt(size) + MARGIN
            self._ceiling = min(EVERY_HASH, (target << 64) // pairs)
        room = size + max(1, size // 2)
        self._hashes = np.empty(room, dtype=np.uint64)
        self._documents = np.empty(room, dtype=np.int64)
        self._queries = np.empty(room, dtype=np.int32)
        self._keys = np.empty(room, dtype=np.int32)
        # The number of keys of each pair's row.
        self._counts = np.empty(room, dtype=np.int32)
        self._used = 0
        self._slots: dict[int, int] = {}
        # The index of each document's first pair, and of the next document's.
        self._starts = [0]
        self._values: dict[tuple[HeadName, ...], torch.Tensor] = {}
        self._latest: tuple[HeadName, Pairs | None] | None = None
        self._order: npt.NDArray[np.intp] | None = None
        self._state = object()

    @property
    def whole(self) -> bool:
        """Whether it has every pair of the documents that were read."""
        return self._ceiling == EVERY_HASH

    def read(self, block: Block) -> None:
        """Process a block, without a synchronisation with its device."""
        self._latest = None
        self._add(block.tokens)
        placement = self._placement(block.tokens, block.rows.device)
        if block.heads not in self._values:
            room = (len(block.heads), len(self._hashes))
            # NaN where a head was not read.
            self._values[block.heads] = block.rows.new_full(room, math.nan)
        attention = block.rows.view(len(block.heads), -1).index_select(1, placement.index)
        values = self._values[block.heads]
        if isinstance(placement.targets, slice):
            values[:, placement.targets] = attention
        else:
            values.index_copy_(1, placement.targets, attention)

    def pairs(self, head: HeadName) -> Pairs | None:
        """Return the `size` pairs of smallest hash with a head's multiples, smallest hash first.

        None if the head was not read on all documents that other heads were read on. Fewer than
        `size` if there are no more, or if the `pairs` given was too high.
        """
        read = self._read(head)
        return None if read is None else read.take(np.arange(min(self._size, len(read))))

    def sample(self, head: HeadName, size: int, above_average: bool) -> Pairs | None:
        """Return the `size` pairs of smallest hash, smallest first; fewer if there are fewer.

        With `above_average`, of the pairs with a multiple over 1. None if the sample has too few
        pairs to tell, or if the head was not read on all documents.
        """
        read = self._read(head)
        if read is None:
            return None
        places = np.arange(len(read))
        if above_average:
            places = np.flatnonzero(read.multiples > 1)
        if len(places) < size and not self.whole:
            return None
        return read.take(places[:size])

    def _read(self, head: HeadName) -> Pairs | None:
        """Return all pairs of the sample with a head's multiples, in the order of their hashes."""
        # Several samples of one head are requested one after another.
        if self._latest is None or self._latest[0] != head:
            self._latest = head, self._read_anew(head)
        return self._latest[1]

    def _read_anew(self, head: HeadName) -> Pairs | None:
        parts = [
            values[heads.index(head), : self._used]
            for heads, values in self._values.items()
            if head in heads
        ]
        if not parts:
            return None
        # A head may have been read together with different heads on different documents.
        every = torch.stack(parts)
        order = self._ordered()
        attention = every.nan_to_num(-1).amax(0).cpu().numpy()[order]
        if (attention < 0).any():
            return None
        return Pairs.of(
            self._documents[order],
            self._queries[order],
            self._keys[order],
            attention.astype(np.float64) * self._counts[order],
        )

    def _ordered(self) -> npt.NDArray[np.intp]:
        if self._order is None:
            columns = (self._keys, self._queries, self._documents, self._hashes)
            self._order = np.lexsort([column[: self._used] for column in columns])
        return self._order

    def _add(self, tokens: BatchTokens) -> None:
        """Add the pairs of documents that are new."""
        view = None
        for row, document in enumerate(tokens.batch.documents):
            if document.id in self._slots:
                continue
            if self._relation is None:
                pairs = self._hashed(tokens, document.id, len(document))
            else:
                vocabulary, on = self._relation
                view = view or TokenView(tokens, vocabulary, self._options)
                # A relation itself decides on key 0.
                query, key = np.nonzero(view.within(on)[row] & view.rows[row, :, None])
                pairs = self._below(keyed_hash(self._seed, document.id, query, key), query, key)
            self._append(document.id, keys_of_rows(tokens, self._options)[row], *pairs)

    def _hashed(
        self, tokens: BatchTokens, document: int, length: int
    ) -> tuple[UInt64s, Int64s, Int64s]:
        """Return hashes, queries and keys of a document's pairs with a low hash, each `[pair]`."""
        first = int(self._options.suppress_first_token)
        step = max(1, HASHED // length)
        parts = []
        for start in range(self._options.min_query, length, step):
            allowed = tokens.allowed[start : min(start + step, length), first:length]
            # Rows of a window have keys in few columns.
            columns = np.flatnonzero(allowed.any(0))
            if not columns.size:
                continue
            low, high = int(columns[0]), int(columns[-1]) + 1
            queries = np.arange(start, start + len(allowed))[:, None]
            hashes = keyed_hash(self._seed, document, queries, np.arange(low, high) + first)
            query, key = np.nonzero(hashes <= np.uint64(self._ceiling))
            attendable = allowed[query, key + low]
            query, key = query[attendable], key[attendable]
            parts.append((hashes[query, key], query + start, key + low + first))
        if not parts:
            none = np.zeros(0, dtype=np.int64)
            return none.astype(np.uint64), none, none
        hashes, query, key = (np.concatenate(column) for column in zip(*parts, strict=True))
        return hashes, query, key

    def _below(self, hashes: UInt64s, query: Int64s, key: Int64s) -> tuple[UInt64s, Int64s, Int64s]:
        low = hashes <= np.uint64(self._ceiling)
        return hashes[low], query[low], key[low]

    def _append(
        self, document: int, counts: Float64s, hashes: UInt64s, query: Int64s, key: Int64s
    ) -> None:
        if self._used + len(hashes) > len(self._hashes):
            every = np.concatenate([self._hashes[: self._used], hashes])
            self._lower(int(np.partition(every, self._size - 1)[self._size - 1]))
            hashes, query, key = self._below(hashes, query, key)
        places = slice(self._used, self._used + len(hashes))
        self._hashes[places] = hashes
        self._documents[places] = document
        self._queries[places] = query
        self._keys[places] = key
        self._counts[places] = counts[query]
        self._used = places.stop
        self._slots[document] = len(self._slots)
        self._starts.append(self._used)
        self._order = None

    def _lower(self, ceiling: int) -> None:
        """Drop the pairs of greater hash, for all heads."""
        kept = np.flatnonzero(self._hashes[: self._used] <= np.uint64(ceiling))
        used = len(kept)
        for column in (self._hashes, self._documents, self._queries, self._keys, self._counts):
            column[:used] = column[kept]
        for values in self._values.values():
            values[:, :used] = values.index_select(1, on_device(kept, values.device))
            values[:, used:] = math.nan
        self._starts = np.searchsorted(kept, self._starts).tolist()
        self._ceiling = ceiling
        self._used = used
        # Cached placements are no longer valid.
        self._state = object()

    def _placement(self, tokens: BatchTokens, device: torch.device) -> "_Placement":
        return tokens.cached(
            (self._state, device),
            lambda: self._make_placement(tokens, device),
            lambda placement: placement.nbytes,
        )

    def _make_placement(self, tokens: BatchTokens, device: torch.device) -> "_Placement":
        slots = [self._slots[document] for document in ids_of(tokens).tolist()]
        spans = [(self._starts[slot], self._starts[slot + 1]) for slot in slots]
        places = np.concatenate([np.arange(*span) for span in spans])
        row = np.repeat(np.arange(len(spans)), [stop - start for start, stop in spans])
        query, key = self._queries[places].astype(np.int64), self._keys[places]
        length = tokens.valid.shape[1]
        index = on_device((row * length + query) * length + key, device)
        whole = slice(spans[0][0], spans[-1][1])
        if np.array_equal(places, np.arange(whole.start, whole.stop)):
            return _Placement(index, whole)
        return _Placement(index, on_device(places, device))


@dataclass(frozen=True, eq=False)
class _Placement:
    """The places of some documents' pairs in a block and in the sample."""

    index: torch.Tensor
    """Indices into a head's flattened block, `[pair]`."""
    targets: slice | torch.Tensor
    """Indices into the sample, `[pair]`."""

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self.index.nbytes * (1 if isinstance(self.targets, slice) else 2)
