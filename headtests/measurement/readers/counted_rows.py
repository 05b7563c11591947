"""What tokens alone say of a statistic on a batch: which rows and pairs it counts, and how many.

Found once, for every head and for every statistic that counts the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from headtests.claims.definitions import (
    ExceedRate,
    Lift,
    Mass,
    Precision,
    RowOptions,
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
    """How much there is to count of each document; columns of equal length."""

    documents: Int64s
    """Document ids."""
    rows: Int64s
    """Eligible rows."""
    on: Int64s
    """Their attendable keys in `on`; of a mass with `of`, those that are in both."""
    base: Float64s
    """What uniform attention would give."""
    of_base: Float64s
    """What uniform attention would give as the denominator."""
    pairs: Int64s
    """All pairs of these rows, of a precision."""
    inverted: Bools
    """Whether the attention on `on`, and on `of`, is found by all others, `[2, document]`."""


@dataclass(frozen=True, eq=False)
class CountedRows:
    """The rows and pairs of a batch that a statistic counts, on a device."""

    counted: DocumentCounts
    rows: SegmentSums
    """The eligible rows, among `[document, query]`."""
    pairs: SegmentSums
    """Those with key 0, their attendable keys in `on`, and those in `of`, as they are summed.

    Of the documents that are `inverted`, those that are in it are left out, and all others are
    summed. Of a rate of pairs or a precision, `on` alone.
    """
    resting: SegmentSums
    """The pairs with key 0."""
    packed: npt.NDArray[np.uint8]
    """Which pairs are in `on`, eight a byte, flattened."""
    least: torch.Tensor | None = None
    """Each row's least attention that is a multiple of the asked size, `[document, query]`."""
    least_of_pairs: torch.Tensor | None = None
    """The same, of each of the pairs."""
    first: torch.Tensor | None = None
    """1 where a row has a pair with key 0 and 0 elsewhere, float32, `[document, query]`."""

    @cached_property
    def nbytes(self) -> int:
        """Bytes, but for a few a row."""
        of_pairs = 0 if self.least_of_pairs is None else self.least_of_pairs.nbytes
        sums = (self.rows, self.pairs, self.resting)
        return sum(part.nbytes for part in sums) + of_pairs + self.packed.nbytes


def together(parts: Sequence[DocumentCounts]) -> DocumentCounts:
    """Return what there is to count of one part after another; there must be a part."""
    return DocumentCounts(
        *(
            np.concatenate([getattr(part, column.name) for part in parts], axis=-1)
            for column in fields(DocumentCounts)
        )
    )


def chosen(
    tokens: BatchTokens,
    vocabulary: Vocabulary,
    statistic: Statistic,
    options: RowOptions,
    device: torch.device,
) -> CountedRows:
    """Return what a statistic counts on a batch, found once and remembered.

    Raises `ClaimError` for a statistic of no known kind.
    """
    return tokens.remember(
        (options, _asked(statistic), str(device)),
        lambda: _chosen(TokenView(tokens, vocabulary, options), statistic, device),
        lambda found: found.nbytes,
    )


def inside(
    tokens: BatchTokens,
    found: CountedRows,
    statistic: Statistic,
    options: RowOptions,
    device: torch.device,
) -> torch.Tensor:
    """Return which pairs of the eligible rows are in `on`, boolean, `[document * query * key]`."""

    def unpacked() -> torch.Tensor:
        count = len(tokens.valid) * tokens.valid.shape[1] ** 2
        bits = np.unpackbits(found.packed, count=count).view(np.bool_)
        return on_device(bits, device)

    key = ("inside", options, _asked(statistic), str(device))
    return tokens.remember(key, unpacked, lambda mask: mask.nbytes)


def _asked(statistic: Statistic) -> Statistic:
    # A mass, a lift and a rate of the most attended keys count the same.
    alike = isinstance(statistic, Lift | Top1Rate)
    return Mass(statistic.on, statistic.when) if alike else statistic


def _chosen(view: TokenView, statistic: Statistic, device: torch.device) -> CountedRows:
    eligible = view.eligible(statistic)
    rows = Places.of(eligible)
    within = view.within(statistic.on) & eligible[:, :, None]
    counts = view.tokens.counts
    base, of_base = uniform_mass(view, within, rows), np.ones(len(eligible))
    inverted = np.zeros((2, len(eligible)), dtype=np.bool_)
    every = np.zeros(len(eligible), dtype=np.int64)
    resting = Places(rows.flat.astype(np.int64) * eligible.shape[1], rows.counts)
    least = of_pairs = first = None
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
            # Attention is at most 1, so that nothing reaches this in the rows that do not count.
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
        of_rows = on_device(least, device)
        of_pairs = of_rows.view(-1)[sums.index // eligible.shape[1]]
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
        None if least is None else of_rows,
        of_pairs,
        None if first is None else on_device(first.astype(np.float32), device),
    )


def _summed(view: TokenView, within: Bools, eligible: Bools) -> tuple[Places, Bools]:
    """Return the pairs whose attention is summed, and of which documents those are all others.

    Of most of a document's pairs, the attention is what the others leave of the rows' whole.
    """
    on = np.array([np.count_nonzero(part) for part in within], dtype=np.int64)
    every = (view.tokens.counts * eligible).sum(1)
    # A sum over whole rows costs about a quarter of one over as many chosen places.
    whole = view.tokens.valid.sum(1) ** 2 // 4
    inverted: Bools = every - on + whole < on
    if inverted.any():
        within = within.copy()
        other = view.tokens.attendable[inverted] & eligible[inverted][:, :, None]
        within[inverted] = other & ~within[inverted]
    return Places.of(within), inverted


def least_attention(counts: Int64s, multiple: float) -> Float32s:
    """Return the least float32 whose multiple is at least a number, in the shape of `counts`.

    `counts` are the keys of each row. So compared, attention needs no copy of 64 bits, which
    hold every multiple without rounding.
    """
    # The nearest, which is that one or the one before it.
    least = (multiple / counts).astype(np.float32)
    higher = np.nextafter(least, np.float32(np.inf))
    return np.where(least.astype(np.float64) * counts >= multiple, least, higher)


def average_attention(counts: Int64s) -> Float32s:
    """Return the largest float32 whose multiple is at most 1, in the shape of `counts`."""
    least = least_attention(counts, 1.0)
    below = np.nextafter(least, np.float32(0))
    return np.where(least.astype(np.float64) * counts == 1, least, below)
