"""Pairs with their multiples, and the sketches that keep some of them: ranked or sampled."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from headtests.errors import ObservationError, SettingError
from headtests.statistics.hashing import keyed_hash
from headtests.statistics.quanta import Float64s, Int64s
from headtests.statistics.sketches.checks import checked_multiples, reading

Index = npt.NDArray[np.intp] | npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs `(document, query, key)` and their multiples, as four columns of shape `[pairs]`.

    Raises `ObservationError` for columns of another shape or dtype; `Pairs.of` converts.

    >>> pairs = Pairs.of(7, [1, 2], [0, 0], [0.5, 3.0])
    >>> len(pairs), pairs.documents.tolist(), pairs.multiples.tolist()
    (2, [7, 7], [0.5, 3.0])
    """

    documents: Int64s
    """Each document's number in its population."""
    queries: Int64s
    """Positions of the queries in their documents."""
    keys: Int64s
    """Positions of the keys in their documents."""
    multiples: Float64s
    """Attention times the number of keys of the row; sketches take values in [0, 2**32)."""

    def __post_init__(self) -> None:
        actual = [(column.dtype.name, column.shape) for column in self._columns]
        expected = [(name, (self.multiples.size,)) for name in (*["int64"] * 3, "float64")]
        if actual != expected:
            raise ObservationError(
                f"the columns of pairs are {actual}, expected {expected}. "
                "Make them with Pairs.of, from one value a pair in each column."
            )

    @classmethod
    def of(
        cls,
        documents: npt.ArrayLike,
        queries: npt.ArrayLike,
        keys: npt.ArrayLike,
        multiples: npt.ArrayLike,
    ) -> Self:
        """Return pairs from integers and numbers that broadcast to one dimension.

        Raises `ObservationError` for columns that do not broadcast, and for ids that are not
        integers.
        """
        try:
            columns = np.broadcast_arrays(
                *(_integers(column) for column in (documents, queries, keys)),
                np.atleast_1d(np.asarray(multiples, dtype=np.float64)),
            )
        except ValueError as error:
            raise ObservationError(
                f"the columns of pairs do not fit together: {error}. Give one value a pair in each."
            ) from error
        return cls(*columns)

    @classmethod
    def empty(cls) -> Self:
        """Return no pairs."""
        return cls.of([], [], [], [])

    @classmethod
    def concatenate(cls, parts: Iterable["Pairs"]) -> Self:
        """Return the pairs of all parts, in order; no pairs for no parts."""
        parts = [Pairs.empty(), *parts]
        return cls(
            np.concatenate([part.documents for part in parts]),
            np.concatenate([part.queries for part in parts]),
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.multiples for part in parts]),
        )

    def take(self, index: Index) -> Self:
        """Return a copy of the pairs at an array of indices, or where a boolean array is true."""
        return type(self)(
            self.documents[index], self.queries[index], self.keys[index], self.multiples[index]
        )

    def __len__(self) -> int:
        return self.multiples.size

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pairs):
            return NotImplemented
        return all(map(np.array_equal, self._columns, other._columns))

    @property
    def _columns(self) -> tuple[Int64s, Int64s, Int64s, Float64s]:
        return self.documents, self.queries, self.keys, self.multiples


class _FirstPairs(ABC):
    """The first `size` pairs of a total order."""

    def __init__(self, size: int) -> None:
        if not _is_int(size) or size < 1:
            raise SettingError(
                f"a sketch of {size!r} pairs keeps nothing: expected a whole number of at least 1. "
                "Ask for as many pairs as are to be shown."
            )
        self.size = size
        """The maximum number of pairs that are kept."""
        self._pairs = Pairs.empty()

    @property
    def pairs(self) -> Pairs:
        """The pairs that are kept, in order; fewer than `size` if fewer were given."""
        return self._pairs

    def update(self, pairs: Pairs) -> None:
        """Add pairs, in any order.

        Raises `ObservationError` for a multiple that is NaN, negative or out of range.
        """
        checked_multiples(pairs.multiples)
        if len(self._pairs) == self.size:
            bound = self._order(self._pairs)[0][-1]
            pairs = pairs.take(self._order(pairs)[0] <= bound)
        self._keep(self._pairs, pairs)

    def merge(self, other: Self) -> Self:
        """Return the sketch of the pairs of both; neither changes.

        Raises `SettingError` if the two were made with different arguments.
        """
        if self._parameters() != other._parameters():
            raise SettingError(
                f"cannot merge {self!r} with {other!r}: expected two sketches of one kind, made "
                "with the same arguments. Make every shard's sketch alike."
            )
        merged = copy(self)
        merged._keep(self._pairs, other._pairs)
        return merged

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters and the kept pairs by column, in plain types fit for JSON."""
        kept = self._pairs
        return {
            **self._parameters(),
            "documents": kept.documents.tolist(),
            "queries": kept.queries.tolist(),
            "keys": kept.keys.tolist(),
            "multiples": kept.multiples.tolist(),
        }

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._parameters().items())
        return f"{type(self).__name__}({shown})"

    def _keep(self, *parts: Pairs) -> None:
        pairs = Pairs.concatenate(parts)
        self._pairs = pairs.take(_first(self.size, self._order(pairs)))

    def _filled(self, state: Mapping[str, Any]) -> Self:
        names = ("documents", "queries", "keys", "multiples")
        self.update(Pairs.of(*(state[name] for name in names)))
        return self

    @abstractmethod
    def _parameters(self) -> dict[str, Any]: ...

    @abstractmethod
    def _order(self, pairs: Pairs) -> list[npt.NDArray[Any]]:
        """Return the columns that pairs are sorted by, the primary one first."""


class RankedPairs(_FirstPairs):
    """The exact top `size` pairs by multiple, or the bottom ones with `reverse`.

    Ties are broken on `(document, query, key)`, ascending in both directions. Raises
    `SettingError` for a size under 1 or a `reverse` that is no bool.

    >>> top = RankedPairs(2)
    >>> top.update(Pairs.of(0, [1, 2, 3], [0, 1, 0], [1.5, 3.0, 3.0]))
    >>> top.pairs.queries.tolist(), top.threshold
    ([2, 3], 3.0)
    """

    def __init__(self, size: int, reverse: bool = False) -> None:
        super().__init__(size)
        if not isinstance(reverse, bool):
            raise SettingError(
                f"reverse is {reverse!r}, expected True or False. Give True for the bottom pairs."
            )
        self.reverse = reverse
        """Whether the least multiples are kept instead of the greatest."""

    @property
    def threshold(self) -> float | None:
        """The least multiple of a pair that can still enter, or with `reverse` the greatest.

        None until `size` pairs are kept. A pair of exactly this multiple enters if it wins the tie.
        """
        return float(self._pairs.multiples[-1]) if len(self._pairs) == self.size else None

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the sketch that `to_dict` wrote; raises `RecordError` for anything else."""
        with reading("ranked pairs"):
            return cls(state["size"], state["reverse"])._filled(state)

    def _parameters(self) -> dict[str, Any]:
        return {"size": self.size, "reverse": self.reverse}

    def _order(self, pairs: Pairs) -> list[npt.NDArray[Any]]:
        rank = pairs.multiples if self.reverse else -pairs.multiples
        return [rank, pairs.documents, pairs.queries, pairs.keys]


class SampledPairs(_FirstPairs):
    """A uniform sample: the `size` pairs of smallest `keyed_hash(seed, document, query, key)`.

    Which pairs are drawn depends on the seed and on the pairs, never on their multiples. Raises
    `SettingError` for a size under 1 or a seed that is not an integer.

    >>> sample = SampledPairs(2, seed=0)
    >>> sample.update(Pairs.of(0, range(1, 9), 0, 1.0))
    >>> len(sample.pairs)
    2
    """

    def __init__(self, size: int, seed: int) -> None:
        super().__init__(size)
        if not _is_int(seed):
            raise SettingError(f"the seed {seed!r} is no integer. Give one, such as 0.")
        self.seed = seed
        """The seed of the hash."""

    @property
    def threshold(self) -> int | None:
        """The greatest hash of a pair that can still enter; None until `size` pairs are kept."""
        full = len(self._pairs) == self.size
        return int(self._order(self._pairs)[0][-1]) if full else None

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the sketch that `to_dict` wrote; raises `RecordError` for anything else."""
        with reading("sampled pairs"):
            return cls(state["size"], state["seed"])._filled(state)

    def _parameters(self) -> dict[str, Any]:
        return {"size": self.size, "seed": self.seed}

    def _order(self, pairs: Pairs) -> list[npt.NDArray[Any]]:
        ids = [pairs.documents, pairs.queries, pairs.keys]
        return [keyed_hash(self.seed, *ids), *ids, pairs.multiples]


def _first(size: int, columns: list[npt.NDArray[Any]]) -> npt.NDArray[np.intp]:
    """Return the indices of the first `size` rows in sorted order, the primary column first.

    Takes linear time: only the rows that are kept are sorted, however many rows tie.
    """
    undecided = np.arange(columns[0].size)
    kept = []
    for column in columns:
        if undecided.size <= size:
            break
        values = column[undecided]
        bound = np.partition(values, size - 1)[size - 1]
        kept.append(undecided[values < bound])
        undecided = undecided[values == bound]
        size -= kept[-1].size
    chosen = np.concatenate([*kept, undecided[:size]])
    return chosen[np.lexsort([column[chosen] for column in reversed(columns)])]


def _integers(values: npt.ArrayLike) -> Int64s:
    array = np.atleast_1d(np.asarray(values))
    if array.size and array.dtype.kind not in "iu":
        raise ObservationError(
            f"ids of pairs are {array.dtype.name}, expected integers. "
            "Give the document's number and the positions."
        )
    return array.astype(np.int64, copy=False)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
