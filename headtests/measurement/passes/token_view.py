"""Rows, keys and eligible rows of a batch, computed from its tokens alone.

The one definition of a statistic's eligible rows, used by `eligibility` before any pass and by
`counted_rows` during one. In NumPy: masks take many small steps, which gain nothing from threads.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from headtests.claims.definitions import (
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
from headtests.corpora import Batch, Vocabulary
from headtests.errors import ClaimError
from headtests.expressions.conditions import EveryRow
from headtests.expressions.nodes import Expression, leaves
from headtests.measurement.masks import Bools, Masks
from headtests.measurement.passes.memo import Memo, T
from headtests.models.loaded import LoadedModel
from headtests.statistics.quanta import Float64s, Int64s

Float32s = npt.NDArray[np.float32]


def allowed_keys(model: LoadedModel, layer: int, length: int) -> Bools:
    """Return the keys that each row of a layer may attend to in a document without padding.

    Boolean, `[query, key]`. For a shorter document it is the upper left corner.
    """
    return model.attendable(torch.ones((1, length), dtype=torch.bool), layer)[0].numpy()


@dataclass(frozen=True, eq=False)
class BatchTokens:
    """A batch, the keys that its rows may attend to, and cached values that follow from both."""

    batch: Batch
    allowed: Bools
    """The keys that each row may attend to without padding, boolean `[query, key]`."""
    key: Hashable = None
    """Identifies these documents and allowed keys in the cache."""
    memo: Memo = field(default_factory=lambda: Memo(0))

    @cached_property
    def valid(self) -> Bools:
        """Which positions are tokens and not padding, boolean `[batch, length]`."""
        valid: Bools = self.batch.valid.numpy()
        return valid

    @cached_property
    def attendable(self) -> Bools:
        """The keys that each row may attend to, boolean `[batch, query, key]`; read-only."""
        if self.valid.all():
            return np.broadcast_to(self.allowed, (len(self.valid), *self.allowed.shape))
        return self.allowed & self.valid[:, :, None] & self.valid[:, None, :]

    @cached_property
    def counts(self) -> Int64s:
        """The number of keys that each row may attend to, `[batch, query]`; 1 for none."""
        # Allowed keys among the first 1, 2 and so on. A document's tokens come first, then padding.
        among_first = np.cumsum(self.allowed, axis=1, dtype=np.int64)
        counts = among_first[:, self.valid.sum(1) - 1].T
        return np.where(self.valid, np.maximum(counts, 1), 1)

    def cached(self, what: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return a cached value, or call `make` and cache it; `size` returns its bytes."""
        return self.memo.get((self.key, what), make, size)


def rows_of(tokens: BatchTokens, options: RowOptions) -> Bools:
    """Return the query positions that are rows, boolean `[batch, query]`."""
    rows: Bools = tokens.valid & (np.arange(tokens.valid.shape[1]) >= options.min_query)
    return rows


def pairs_of(tokens: BatchTokens, options: RowOptions) -> Bools:
    """Return the pairs that have a multiple, boolean `[batch, query, key]`."""
    pairs = tokens.attendable & rows_of(tokens, options)[:, :, None]
    if options.suppress_first_token:
        pairs[:, :, 0] = False
    return pairs


class TokenView:
    """Rows, pairs and relations of a batch under some row options, from tokens alone."""

    def __init__(self, tokens: BatchTokens, vocabulary: Vocabulary, options: RowOptions) -> None:
        self.tokens = tokens
        self.masks = Masks(tokens.batch, vocabulary, options.suppress_first_token)
        self.rows = rows_of(tokens, options)
        """The query positions that are rows, boolean `[batch, query]`."""
        self._options = options
        self._within: dict[Expression, Bools] = {}

    @cached_property
    def pairs(self) -> Bools:
        """The pairs that have a multiple, boolean `[batch, query, key]`."""
        return pairs_of(self.tokens, self._options)

    def within(self, relation: Expression) -> Bools:
        """Return the attendable keys in a relation, boolean `[batch, query, key]`."""
        if relation not in self._within:
            self._within[relation] = self.masks.relation(relation) & self.tokens.attendable
        return self._within[relation]

    def when(self, condition: Expression | None) -> Bools:
        """Return the rows where a condition holds, boolean `[batch, query]`; None is every row."""
        return self.rows if condition is None else self.rows & self.masks.rows(condition)

    def eligible(self, statistic: Statistic) -> Bools:
        """Return the rows that a statistic counts, boolean `[batch, query]`.

        Raises `ClaimError` for an unknown kind of statistic.
        """
        rows = self.when(statistic.when)
        match statistic:
            case RowStatistic(least_keys=least):
                return rows & (self.tokens.counts >= least)
            case Mass() | Lift() | Top1Rate():
                if statistic.when is not None and _counts_every_row(statistic.when):
                    return rows
                return rows & self.within(statistic.on).any(-1)
            case ExceedRate(multiple=multiple):
                # A row without such a key has no pair to count, whatever `when=` says.
                rows = rows & (self.tokens.counts >= multiple)
                return rows & self.within(statistic.on).any(-1)
            case Precision(above=above):
                # `on=ht.first` selects key 0, which otherwise has no multiple.
                first = self.within(statistic.on)[:, :, 0]
                return rows & (self.tokens.counts >= above) & (self.pairs.any(-1) | first)
            case _:
                raise ClaimError(f"no measurement is known for {statistic!r}.")


@dataclass(frozen=True, eq=False)
class Places:
    """Indices of rows or pairs of a batch, one document after another."""

    flat: npt.NDArray[np.int32] | Int64s
    """Indices into the flattened `[batch, query]` or `[batch, query, key]`, ascending."""
    counts: Int64s
    """The number of indices of each document, shape `[batch]`."""

    @classmethod
    def of(cls, mask: Bools) -> "Places":
        """Return where a mask holds, `[batch, query]` or `[batch, query, key]`."""
        flat: npt.NDArray[np.int32] | Int64s = np.flatnonzero(mask).astype(np.int64)
        ends = np.searchsorted(flat, np.arange(1, len(mask) + 1) * mask[0].size)
        if mask.size < 2**31:
            flat = flat.astype(np.int32)
        return cls(flat, np.diff(ends, prepend=0).astype(np.int64))

    def sums(self, values: npt.NDArray[np.generic]) -> Float64s:
        """Return the sum of each document's values, float64, shape `[batch]`.

        `values` has one value for each index. Neither padding nor other documents of the batch
        change a sum, not even its last bit.
        """
        result = np.zeros(len(self.counts))
        some = self.counts > 0
        starts = (np.cumsum(self.counts) - self.counts)[some]
        if len(starts):
            result[some] = np.add.reduceat(values.astype(np.float64), starts)
        return result

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self.flat.nbytes + self.counts.nbytes


def uniform_mass(view: TokenView, keys: Bools, rows: Places) -> Float64s:
    """Return the mass of uniform attention on some keys, averaged over each document's rows.

    `keys` is boolean, `[batch, query, key]`; the result is `[batch]`, 0 for a document without
    rows.
    """
    counts = np.add.reduce(keys.view(np.uint8), axis=-1, dtype=np.int32)
    shares = (counts / view.tokens.counts).reshape(-1)[rows.flat]
    return rows.sums(shares) / np.maximum(rows.counts, 1)


def uniform_masses(
    view: TokenView, statistic: RelationStatistic, rows: Places
) -> tuple[Float64s, Float64s]:
    """Return the mass of uniform attention on a statistic's keys, and on those that divide it.

    Each is averaged over a document's rows, `[batch]`. The second is 1 for all but a mass with
    `of`.
    """
    keys, of = view.within(statistic.on), statistic.of if isinstance(statistic, Mass) else None
    if of is None:
        return uniform_mass(view, keys, rows), np.ones(len(keys))
    whole = view.within(of)
    return uniform_mass(view, keys & whole, rows), uniform_mass(view, whole, rows)


def _counts_every_row(condition: Expression) -> bool:
    return any(isinstance(leaf, EveryRow) for leaf in leaves(condition))


def keys_of_rows(tokens: BatchTokens, options: RowOptions) -> Float64s:
    """Return the number of keys of each row, float64 `[batch, query]`; 0 where there is no row.

    Attention times this number is the multiple, and 0 for padding and positions under `min_query`.
    """
    return tokens.cached(
        ("keys of rows", options),
        lambda: np.where(rows_of(tokens, options), tokens.counts, 0.0),
        lambda counts: counts.nbytes,
    )


def ids_of(tokens: BatchTokens) -> Int64s:
    """Return the id of each document, int64, shape `[batch]`."""
    return np.array([document.id for document in tokens.batch.documents], dtype=np.int64)


def on_device(array: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """Return an array as a tensor on a device, without a synchronisation with that device."""
    tensor = torch.from_numpy(array)
    if device.type == "cpu":
        return tensor
    # A copy from pageable memory would wait for the device.
    pinned = tensor.pin_memory() if device.type == "cuda" else tensor
    return pinned.to(device, non_blocking=True)
