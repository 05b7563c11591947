"""What a batch's tokens say before any attention is read: rows, keys, and which rows are eligible.

One definition of a statistic's eligible rows, for `eligibility`, which knows no attention, and
for `measure`, which does. In NumPy: such masks are made of many small steps, which gain nothing
from threads.
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
    RowOptions,
    Statistic,
    Top1Rate,
)
from headtests.corpora import Batch, Vocabulary
from headtests.errors import ClaimError
from headtests.expressions.conditions import EveryRow
from headtests.expressions.nodes import And, Expression, Not, Or
from headtests.measurement.masks import Bools, Masks
from headtests.measurement.passes.memo import Memo, T
from headtests.models.loaded import LoadedModel
from headtests.statistics.quanta import Float64s, Int64s

Float32s = npt.NDArray[np.float32]


def allowed_keys(model: LoadedModel, layer: int, length: int) -> Bools:
    """Return which keys each row of a layer may attend to, were all of them tokens.

    Boolean, `[query, key]`. Padding apart, that is the same for every document: of a shorter one,
    the beginning.
    """
    return model.attendable(torch.ones((1, length), dtype=torch.bool), layer)[0].numpy()


@dataclass(frozen=True, eq=False)
class BatchTokens:
    """A batch, which keys its rows may attend to, and what was found out of both."""

    batch: Batch
    allowed: Bools
    """Which keys each row may attend to, padding apart, `[query, key]`."""
    key: Hashable = None
    """What tells these from others among what is remembered."""
    remembered: Memo = field(default_factory=lambda: Memo(0))

    @cached_property
    def valid(self) -> Bools:
        """Which positions are tokens, `[batch, length]`."""
        valid: Bools = self.batch.valid.numpy()
        return valid

    @cached_property
    def attendable(self) -> Bools:
        """The keys that each row may attend to, `[batch, query, key]`; not to be written to."""
        if self.valid.all():
            return np.broadcast_to(self.allowed, (len(self.valid), *self.allowed.shape))
        return self.allowed & self.valid[:, :, None] & self.valid[:, None, :]

    @cached_property
    def counts(self) -> Int64s:
        """Keys that each row may attend to, `[batch, query]`; 1 where there are none."""
        # Of each row, how many of the first keys: a document's are the first, then comes padding.
        of_first = np.cumsum(self.allowed, axis=1, dtype=np.int64)
        counts = of_first[:, self.valid.sum(1) - 1].T
        return np.where(self.valid, np.maximum(counts, 1), 1)

    def remember(self, what: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return what was found out before, or find it out; `size` is in bytes."""
        return self.remembered.get((self.key, what), make, size)


def rows_of(tokens: BatchTokens, options: RowOptions) -> Bools:
    """Return the query positions that are rows, `[batch, query]`."""
    rows: Bools = tokens.valid & (np.arange(tokens.valid.shape[1]) >= options.min_query)
    return rows


def pairs_of(tokens: BatchTokens, options: RowOptions) -> Bools:
    """Return the pairs of the rows that have a multiple, `[batch, query, key]`."""
    pairs = tokens.attendable & rows_of(tokens, options)[:, :, None]
    if options.suppress_first_token:
        pairs[:, :, 0] = False
    return pairs


class TokenView:
    """A batch as statistics see it, as far as tokens tell."""

    def __init__(self, tokens: BatchTokens, vocabulary: Vocabulary, options: RowOptions) -> None:
        self.tokens = tokens
        self.masks = Masks(tokens.batch, vocabulary, options.suppress_first_token)
        self.rows = rows_of(tokens, options)
        """The query positions that are rows, `[batch, query]`."""
        self._options = options
        self._within: dict[Expression, Bools] = {}

    @cached_property
    def pairs(self) -> Bools:
        """The pairs of the rows that have a multiple, `[batch, query, key]`."""
        return pairs_of(self.tokens, self._options)

    def within(self, relation: Expression) -> Bools:
        """Return the attendable keys in a relation, `[batch, query, key]`."""
        if relation not in self._within:
            self._within[relation] = self.masks.relation(relation) & self.tokens.attendable
        return self._within[relation]

    def when(self, condition: Expression | None) -> Bools:
        """Return the rows where a condition holds, `[batch, query]`."""
        return self.rows if condition is None else self.rows & self.masks.rows(condition)

    def eligible(self, statistic: Statistic) -> Bools:
        """Return the rows that a statistic counts, `[batch, query]`.

        Raises `ClaimError` for a statistic of no known kind.
        """
        rows = self.when(statistic.when)
        match statistic:
            case Mass() | Lift() | Top1Rate():
                if statistic.when is not None and _counts_every_row(statistic.when):
                    return rows
                return rows & self.within(statistic.on).any(-1)
            case ExceedRate(multiple=multiple):
                # Of a row without such a key there is no pair to count, whatever `when=` says.
                rows = rows & (self.tokens.counts >= multiple)
                return rows & self.within(statistic.on).any(-1)
            case Precision(above=above):
                # `on=ht.first` asks for key 0, which has no multiple otherwise.
                first = self.within(statistic.on)[:, :, 0]
                return rows & (self.tokens.counts >= above) & (self.pairs.any(-1) | first)
            case _:
                raise ClaimError(f"no measurement is known for {statistic!r}.")


@dataclass(frozen=True, eq=False)
class Places:
    """Rows or pairs of a batch, one document after another."""

    flat: npt.NDArray[np.int32] | Int64s
    """Places in `[batch, query]` or `[batch, query, key]`, flattened; ascending."""
    counts: Int64s
    """How many each document has, shape `[batch]`."""

    @classmethod
    def of(cls, mask: Bools) -> "Places":
        """Return where a mask of rows or of pairs holds."""
        flat: npt.NDArray[np.int32] | Int64s = np.flatnonzero(mask).astype(np.int64)
        ends = np.searchsorted(flat, np.arange(1, len(mask) + 1) * mask[0].size)
        if mask.size < 2**31:
            flat = flat.astype(np.int32)
        return cls(flat, np.diff(ends, prepend=0).astype(np.int64))

    def sums(self, values: npt.NDArray[np.generic]) -> Float64s:
        """Return the sum of each document's values, shape `[batch]`.

        Padding and the documents beside it change nothing, not even the order of the sum.
        """
        result = np.zeros(len(self.counts))
        some = self.counts > 0
        starts = (np.cumsum(self.counts) - self.counts)[some]
        if len(starts):
            result[some] = np.add.reduceat(values.astype(np.float64), starts)
        return result

    @property
    def nbytes(self) -> int:
        """Bytes."""
        return self.flat.nbytes + self.counts.nbytes


def uniform_mass(view: TokenView, keys: Bools, rows: Places) -> Float64s:
    """Return what uniform attention puts on some keys, averaged over a document's rows, `[batch]`.

    `keys` is boolean, `[batch, query, key]`; a document without rows gets 0.
    """
    counts = np.add.reduce(keys.view(np.uint8), axis=-1, dtype=np.int32)
    shares = (counts / view.tokens.counts).reshape(-1)[rows.flat]
    return rows.sums(shares) / np.maximum(rows.counts, 1)


def _counts_every_row(condition: Expression) -> bool:
    match condition:
        case EveryRow():
            return True
        case And(parts) | Or(parts):
            return any(_counts_every_row(part) for part in parts)
        case Not(part):
            return _counts_every_row(part)
        case _:
            return False


def keys_of_rows(tokens: BatchTokens, options: RowOptions) -> Float64s:
    """Return how many keys each row has, `[batch, query]`; 0 of what is no row.

    So multiplied, the attention of padding and of positions under `min_query` is no multiple.
    """
    return tokens.remember(
        ("keys of rows", options),
        lambda: np.where(rows_of(tokens, options), tokens.counts, 0.0),
        lambda found: found.nbytes,
    )


def ids_of(tokens: BatchTokens) -> Int64s:
    """Return the id of each document, `[batch]`."""
    return np.array([document.id for document in tokens.batch.documents], dtype=np.int64)


def on_device(array: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """Return an array as a tensor on a device, without waiting for what runs there."""
    tensor = torch.from_numpy(array)
    if device.type == "cpu":
        return tensor
    # A copy from memory that may be paged out waits for the device.
    pinned = tensor.pin_memory() if device.type == "cuda" else tensor
    return pinned.to(device, non_blocking=True)
