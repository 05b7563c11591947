"""The rows and pairs of a batch that a statistic counts, computed from its tokens alone.

Computed once and cached for every head and every statistic that counts the same rows and pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from headtests.claims.definitions import (
    Entropy,
    ExceedRate,
    Lift,
    Mass,
    Precision,
    RelationStatistic,
    RowOptions,
    RowStatistic,
    Statistic,
    Top1Rate,
)
from headtests.corpora import Vocabulary
from headtests.measurement.masks import Bools
from headtests.measurement.passes.token_view import (
    BatchTokens,
    Float32s,
    Places,
    TokenView,
    ids_of,
    on_device,
    uniform_mass,
)
from headtests.measurement.readers.segment_sums import SegmentSums
from headtests.statistics.quanta import Float64s, Int64s


@dataclass(frozen=True, eq=False)
class DocumentCounts:
    """What a statistic counts in each document; columns of equal length `[document]`."""

    documents: Int64s
    """Document ids."""
    rows: Int64s
    """The number of eligible rows."""
    on: Int64s
    """The number of their pairs in `on`; for a mass with `of`, in both relations."""
    base: Float64s
    """The figure that uniform attention would give."""
    of_base: Float64s
    """The denominator that uniform attention would give; 1 without `of`."""
    pairs: Int64s
    """The number of all pairs of these rows, for a precision; otherwise 0."""
    inverted: Bools
    """Whether the sums on `on` and on `of` are taken over all other pairs, `[2, document]`."""


@dataclass(frozen=True, eq=False)
class CountedRows:
    """The rows and pairs of a batch that a statistic counts, as indices on a device."""

    counts: DocumentCounts
    """How many rows and pairs each document has."""
    rows: SegmentSums
    """The eligible rows, indices into the flattened `[document, query]`."""
    pairs: SegmentSums
    """Pairs of the eligible rows to be summed: with key 0, in `on`, and in `of`, one after another.

    For documents where `inverted` holds, the pairs outside the relation. For an exceed rate and a
    precision, the pairs in `on` alone.
    """
    resting: SegmentSums
    """The pairs of the eligible rows with key 0."""
    packed: npt.NDArray[np.uint8]
    """Which pairs are in `on`, `[document * query * key]`, packed into bits."""
    least: torch.Tensor | None = None
    """The least attention of each row that reaches the multiple, float32 `[document, query]`."""
    least_of_pairs: torch.Tensor | None = None
    """The same for each of the pairs, `[pair]`."""
    first: torch.Tensor | None = None
    """1 where a row counts its pair with key 0 and 0 elsewhere, float32 `[document, query]`."""
    scales: torch.Tensor | None = None
    """For an entropy, 1 over that of even attention, of each eligible row, float64 `[row]`."""

    @cached_property
    def nbytes(self) -> int:
        """Size in bytes, without a few bytes for each row."""
        of_pairs = 0 if self.least_of_pairs is None else self.least_of_pairs.nbytes
        sums = (self.rows, self.pairs, self.resting)
        return sum(part.nbytes for part in sums) + of_pairs + self.packed.nbytes


def concatenated_counts(parts: Sequence[DocumentCounts]) -> DocumentCounts:
    """Return the counts of one part after another; there must be at least one part."""
    return DocumentCounts(
        *(
            np.concatenate([getattr(part, column.name) for part in parts], axis=-1)
            for column in fields(DocumentCounts)
        )
    )


def counted_rows(
    tokens: BatchTokens,
    vocabulary: Vocabulary,
    statistic: Statistic,
    options: RowOptions,
    device: torch.device,
) -> CountedRows:
    """Return what a statistic counts on a batch, from the cache if possible.

    Raises `ClaimError` for an unknown kind of statistic.
    """
    return tokens.cached(
        (options, _cache_key(statistic), str(device)),
        lambda: _counted(TokenView(tokens, vocabulary, options), statistic, device),
        lambda counted: counted.nbytes,
    )


def pairs_on(
    tokens: BatchTokens,
    counted: CountedRows,
    statistic: Statistic,
    options: RowOptions,
    device: torch.device,
) -> torch.Tensor:
    """Return which pairs of the eligible rows are in `on`, bool `[document * query * key]`."""

    def unpacked() -> torch.Tensor:
        count = len(tokens.valid) * tokens.valid.shape[1] ** 2
        bits = np.unpackbits(counted.packed, count=count).view(np.bool_)
        return on_device(bits, device)

    key = ("pairs on", options, _cache_key(statistic), str(device))
    return tokens.cached(key, unpacked, lambda mask: mask.nbytes)


def _cache_key(statistic: Statistic) -> Statistic:
    # A mass, a lift and a top-1 rate count the same rows and pairs.
    match statistic:
        case Mass(on=on, when=when, of=of):
            return Mass(on, when, of)
        case Lift() | Top1Rate():
            return Mass(statistic.on, statistic.when)
        case _:
            return statistic


def _counted(view: TokenView, statistic: Statistic, device: torch.device) -> CountedRows:
    if isinstance(statistic, RowStatistic):
        return _whole_rows(view, statistic, device)
    return _counted_rows(view, statistic, device)


def _whole_rows(view: TokenView, statistic: RowStatistic, device: torch.device) -> CountedRows:
    """Return what a statistic of whole rows counts: no pair, but that with key 0."""
    eligible = view.eligible(statistic)
    rows = Places.of(eligible)
    resting = _resting(rows, eligible)
    counts = view.tokens.counts.reshape(-1)[rows.flat].astype(np.float64)
    none, scales = np.zeros(len(eligible), dtype=np.int64), None
    if isinstance(statistic, Entropy):
        base, scales = np.ones(len(eligible)), on_device(1 / np.log(counts), device)
    else:
        base = rows.sums(1 / counts) / np.maximum(rows.counts, 1)
    sums = SegmentSums.of([resting], device)
    return CountedRows(
        DocumentCounts(
            ids_of(view.tokens),
            rows.counts,
            none,
            base,
            np.ones(len(eligible)),
            none,
            np.zeros((2, len(eligible)), dtype=np.bool_),
        ),
        SegmentSums.of([rows], device),
        sums,
        sums,
        np.packbits(np.zeros((*eligible.shape, eligible.shape[1]), dtype=np.bool_)),
        scales=scales,
    )


def _resting(rows: Places, eligible: Bools) -> Places:
    """Return the pairs of the eligible rows with key 0."""
    return Places(rows.flat.astype(np.int64) * eligible.shape[1], rows.counts)


def _counted_rows(
    view: TokenView, statistic: RelationStatistic, device: torch.device
) -> CountedRows:
    eligible = view.eligible(statistic)
    rows = Places.of(eligible)
    within = view.within(statistic.on) & eligible[:, :, None]
    counts = view.tokens.counts
    base, of_base = uniform_mass(view, within, rows), np.ones(len(eligible))
    inverted = np.zeros((2, len(eligible)), dtype=np.bool_)
    every = np.zeros(len(eligible), dtype=np.int64)
    resting = _resting(rows, eligible)
    least = pair_least = first = None
    match statistic:
        case ExceedRate(multiple=multiple):
            parts = [Places.of(within)]
            base = np.full(len(eligible), float(multiple <= 1))
            least = least_attention(counts, multiple)
        case Precision(above=above):
            parts = [Places.of(within)]
            first = (view.pairs[:, :, 0] & eligible) | within[:, :, 0]
            pairs = view.pairs[:, :, 1:] & eligible[:, :, None]
            every = np.array([np.count_nonzero(part) for part in pairs], dtype=np.int64)
            every += np.count_nonzero(first, axis=1)
            # Attention is at most 1, so that no pair of the other rows reaches 2.
            least = np.where(eligible, least_attention(counts, above), np.float32(2))
            base = parts[0].counts / np.maximum(every, 1)
        case Mass(of=of) if of is not None:
            whole = view.within(of) & eligible[:, :, None]
            within &= whole
            base, of_base = uniform_mass(view, within, rows), uniform_mass(view, whole, rows)
            (on, inverted[0]), (on_of, inverted[1]) = (
                _summed(view, mask, eligible) for mask in (within, whole)
            )
            parts = [resting, on, on_of]
        case _:
            on, inverted[0] = _summed(view, within, eligible)
            parts = [resting, on]
    sums = SegmentSums.of(parts, device)
    if least is not None:
        row_least = on_device(least, device)
        pair_least = row_least.view(-1)[sums.index // eligible.shape[1]]
    return CountedRows(
        DocumentCounts(
            ids_of(view.tokens),
            rows.counts,
            np.array([np.count_nonzero(part) for part in within], dtype=np.int64),
            base,
            of_base,
            every,
            inverted,
        ),
        SegmentSums.of([rows], device),
        sums,
        SegmentSums.of([resting], device),
        np.packbits(within),
        None if least is None else row_least,
        pair_least,
        None if first is None else on_device(first.astype(np.float32), device),
    )


def _summed(view: TokenView, within: Bools, eligible: Bools) -> tuple[Places, Bools]:
    """Return the pairs whose attention is summed, and the documents for which these are inverted.

    Where most pairs of a document are in a relation, it is cheaper to sum the others and subtract
    that from the sum of whole rows. The second array is boolean, `[document]`.
    """
    on = np.array([np.count_nonzero(part) for part in within], dtype=np.int64)
    every = (view.tokens.counts * eligible).sum(1)
    # A sum over whole rows costs about a quarter of a sum over as many single pairs.
    whole = view.tokens.valid.sum(1) ** 2 // 4
    inverted: Bools = every - on + whole < on
    if inverted.any():
        within = within.copy()
        other = view.tokens.attendable[inverted] & eligible[inverted][:, :, None]
        within[inverted] = other & ~within[inverted]
    return Places.of(within), inverted


def least_attention(counts: Int64s, multiple: float) -> Float32s:
    """Return the least float32 attention whose multiple is at least `multiple`.

    `counts` are the numbers of keys of rows, of any shape, which is also the result's. Comparing
    float32 attention with this is exact, as comparing float64 multiples is, and needs no copy.
    """
    # The nearest float32 is the wanted one or the one before it.
    least = (multiple / counts).astype(np.float32)
    higher = np.nextafter(least, np.float32(np.inf))
    return np.where(least.astype(np.float64) * counts >= multiple, least, higher)


def average_attention(counts: Int64s) -> Float32s:
    """Return the largest float32 attention whose multiple is at most 1, shaped as `counts`."""
    least = least_attention(counts, 1.0)
    below = np.nextafter(least, np.float32(0))
    return np.where(least.astype(np.float64) * counts == 1, least, below)
