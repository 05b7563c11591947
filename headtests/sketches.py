"""Sketches: what is kept of more multiples than fit in memory, exact whatever the order they came.

Ranked pairs, a hashed sample, moments and a histogram. Each is filled with `update`, joined with
`merge` and written with `to_dict`; each depends on the multiset of what it was given and on
nothing else, so that shards merge to what the whole would have been, bit for bit.

Numpy alone lives here: no torch, no pytest, and nothing that knows what a head or a token is.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from headtests.errors import HeadtestsError, RecordError, SettingError
from headtests.hashing import keyed_hash

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp] | npt.NDArray[np.bool_]

LARGEST_MULTIPLE = 2.0**32
"""What every multiple is below: a multiple is at most its row's number of keys."""


class ObservationError(HeadtestsError, ValueError):
    """Observations that no sketch can take: not numbers in range, or columns that do not fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs `(document, query, key)` and their multiples, as four columns of one length.

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
    """Attention times the number of keys of its row, in [0, 2**32) for a sketch to take it."""

    def __post_init__(self) -> None:
        found = [(column.dtype.name, column.shape) for column in self._columns]
        expected = [(name, (self.multiples.size,)) for name in (*["int64"] * 3, "float64")]
        if found != expected:
            raise ObservationError(
                f"the columns of pairs are {found}, expected {expected}. "
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

        Raises `ObservationError` for lengths that do not, and for ids that are not integers.
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
        """Return the pairs of every part, in order; of no part, no pairs."""
        parts = [Pairs.empty(), *parts]
        return cls(
            np.concatenate([part.documents for part in parts]),
            np.concatenate([part.queries for part in parts]),
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.multiples for part in parts]),
        )

    def take(self, index: Index) -> Self:
        """Return a copy of the pairs at an array of places, or where a boolean array holds."""
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
        """How many pairs are kept at most."""
        self._pairs = Pairs.empty()

    @property
    def pairs(self) -> Pairs:
        """The pairs kept, first of the order first; fewer than `size` where fewer were given."""
        return self._pairs

    def update(self, pairs: Pairs) -> None:
        """Take in pairs, in any order.

        Raises `ObservationError` for a multiple that is NaN, negative or out of range.
        """
        _checked(pairs.multiples)
        if len(self._pairs) == self.size:
            bound = self._order(self._pairs)[0][-1]
            pairs = pairs.take(self._order(pairs)[0] <= bound)
        self._keep(self._pairs, pairs)

    def merge(self, other: Self) -> Self:
        """Return the sketch of what either was given; neither changes.

        Raises `SettingError` where the two were made with different arguments.
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
        """Return the columns that pairs are ordered by, the deciding one first."""


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
        """Whether the least multiples are kept, and not the greatest."""

    @property
    def threshold(self) -> float | None:
        """The multiple that a new pair must reach to matter, itself included; None until full.

        To reach is to be at least as large, or with `reverse` at most as large.
        """
        return float(self._pairs.multiples[-1]) if len(self._pairs) == self.size else None

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the sketch that `to_dict` wrote; raises `RecordError` for anything else."""
        with _reading("ranked pairs"):
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
        """What the hash is keyed by."""

    @property
    def threshold(self) -> int | None:
        """The hash that a new pair must be at or below to matter; None until full."""
        full = len(self._pairs) == self.size
        return int(self._order(self._pairs)[0][-1]) if full else None

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the sketch that `to_dict` wrote; raises `RecordError` for anything else."""
        with _reading("sampled pairs"):
            return cls(state["size"], state["seed"])._filled(state)

    def _parameters(self) -> dict[str, Any]:
        return {"size": self.size, "seed": self.seed}

    def _order(self, pairs: Pairs) -> list[npt.NDArray[Any]]:
        ids = [pairs.documents, pairs.queries, pairs.keys]
        return [keyed_hash(self.seed, *ids), *ids, pairs.multiples]


class _Extremes:
    """What moments and histograms share: how many multiples, the least and the greatest."""

    def __init__(self) -> None:
        self._count = 0
        self._minimum = math.inf
        self._maximum = -math.inf

    @property
    def count(self) -> int:
        """How many multiples were given."""
        return self._count

    @property
    def minimum(self) -> float | None:
        """The least multiple, exact; None of none."""
        return self._minimum if self._count else None

    @property
    def maximum(self) -> float | None:
        """The greatest multiple, exact; None of none."""
        return self._maximum if self._count else None

    def _widen(self, count: int, minimum: float | None, maximum: float | None) -> None:
        if minimum is not None and maximum is not None:
            self._count += count
            self._minimum = min(self._minimum, minimum)
            self._maximum = max(self._maximum, maximum)

    def _see(self, multiples: npt.ArrayLike) -> Float64s:
        values = _checked(multiples).ravel()
        if values.size:
            # Added to 0.0, since which of 0.0 and -0.0 is the least depends on their order.
            self._widen(values.size, 0.0 + float(values.min()), 0.0 + float(values.max()))
        return values


class Moments(_Extremes):
    """Count, mean and population variance of multiples, to a resolution of `2**-30`.

    Multiples are rounded to that grid and summed as integers, so that no order of updates and
    merges changes a bit.

    >>> moments = Moments()
    >>> moments.update([1.0, 2.0, 6.0])
    >>> moments.count, moments.mean, moments.maximum
    (3, 3.0, 6.0)
    """

    def __init__(self) -> None:
        super().__init__()
        self._sum = 0
        self._sum_of_squares = 0

    @property
    def mean(self) -> float | None:
        """The mean, between the extremes; None of none."""
        if not self._count:
            return None
        return min(max(self._sum / (self._count << 30), self._minimum), self._maximum)

    @property
    def variance(self) -> float | None:
        """The mean squared distance from the mean, 0 of one multiple; None of none."""
        if not self._count:
            return None
        spread = self._count * self._sum_of_squares - self._sum**2
        return spread / (self._count**2 << 60)

    def update(self, multiples: npt.ArrayLike) -> None:
        """Take in multiples, of any shape and order.

        Raises `ObservationError` for one that is NaN, negative or out of range.
        """
        ticks = np.rint(self._see(multiples) * 2.0**30).astype(np.int64)
        # Halves of 31 bits, since the square of a whole tick does not fit in 64.
        high, low = ticks >> 31, ticks & (2**31 - 1)
        self._sum += _sum(ticks)
        self._sum_of_squares += (
            (_sum(high * high) << 62) + (_sum(high * low) << 32) + _sum(low * low)
        )

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of what either was given; neither changes."""
        merged = copy(self)
        merged._widen(other.count, other.minimum, other.maximum)
        merged._sum += other._sum
        merged._sum_of_squares += other._sum_of_squares
        return merged

    def to_dict(self) -> dict[str, Any]:
        """Return the state in plain types fit for JSON."""
        return {
            "count": self.count,
            "minimum": self.minimum,
            "maximum": self.maximum,
            # Text, since many readers of JSON take an integer over 2**53 for a float.
            "sum": str(self._sum),
            "sum_of_squares": str(self._sum_of_squares),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the moments that `to_dict` wrote; raises `RecordError` for anything else."""
        moments = cls()
        with _reading("moments"):
            moments._widen(state["count"], state["minimum"], state["maximum"])
            moments._sum = int(state["sum"])
            moments._sum_of_squares = int(state["sum_of_squares"])
        return moments


BINS_PER_OCTAVE = 32
"""Bins of a histogram between a multiple and its double, equally wide on a log scale."""


def _edges() -> Float64s:
    # By square roots, which every machine rounds alike, as it need not do for powers.
    ratio = 2.0
    for _ in range(BINS_PER_OCTAVE.bit_length() - 1):
        ratio = math.sqrt(ratio)
    octave = np.multiply.accumulate([1.0] + [ratio] * (BINS_PER_OCTAVE - 1))
    return np.append(np.ldexp(octave, np.arange(-20, 20)[:, None]).ravel(), 2.0**20)


_EDGES = _edges()


class Histogram(_Extremes):
    """Counts of multiples in fixed bins, 32 an octave from `2**-20` to `2**20`.

    One more bin takes what is smaller, zeros included, and one what is larger.

    >>> histogram = Histogram()
    >>> histogram.update([0.0, 1.0, 1.0, 4.0])
    >>> [(low, count) for low, high, count in histogram.bins()]
    [(0.0, 1), (1.0, 2), (4.0, 1)]
    >>> histogram.quantile(0), histogram.quantile(1)
    (0.0, 4.0)
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts = np.zeros(_EDGES.size + 1, dtype=np.int64)

    def update(self, multiples: npt.ArrayLike) -> None:
        """Take in multiples, of any shape and order.

        Raises `ObservationError` for one that is NaN, negative or out of range.
        """
        places = np.searchsorted(_EDGES, self._see(multiples), side="right")
        self._counts += np.bincount(places, minlength=self._counts.size)

    def merge(self, other: "Histogram") -> "Histogram":
        """Return the histogram of what either was given; neither changes."""
        merged = copy(self)
        merged._widen(other.count, other.minimum, other.maximum)
        merged._counts = self._counts + other._counts
        return merged

    def bins(self) -> list[tuple[float, float, int]]:
        """Return `(low, high, count)` of each bin that is not empty, in ascending order.

        A bin holds `low <= multiple < high`; that of multiples from `2**20` on ends at the
        maximum and holds it.
        """
        return [(*self._span(int(place)), int(self._counts[place])) for place in self._places()]

    def quantile(self, share: float) -> float | None:
        """Return the multiple that a share of all, in [0, 1], are at or below; None of none.

        It never falls as the share grows, and is exact at 0 and 1. In between it is the
        geometric middle of the bin where the smallest such multiple lies, within a factor of
        `2**(1/64)` of it (1.1%); under `2**-20` it is within `2**-20` of it, and from `2**20`
        on it is the maximum. Raises `SettingError` for a share outside [0, 1].
        """
        if not 0 <= share <= 1:
            raise SettingError(
                f"a quantile at {share!r} has no meaning: expected a share in [0, 1]. "
                "Give 0.9 for the 90th percentile."
            )
        if not self._count:
            return None
        if share in (0, 1):
            return self._maximum if share else self._minimum
        rank = max(1, math.ceil(share * self._count))
        place = int(np.searchsorted(np.cumsum(self._counts), rank))
        low, high = self._span(place)
        middle = self._maximum if place == _EDGES.size else math.sqrt(low * high)
        return min(max(middle, self._minimum), self._maximum)

    def to_dict(self) -> dict[str, Any]:
        """Return the filled bins by their place, and the extremes, in plain types fit for JSON."""
        places = self._places()
        return {
            "bins_per_octave": BINS_PER_OCTAVE,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "places": places.tolist(),
            "counts": self._counts[places].tolist(),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the histogram that `to_dict` wrote; raises `RecordError` for anything else."""
        histogram = cls()
        with _reading("a histogram"):
            if state["bins_per_octave"] != BINS_PER_OCTAVE:
                raise ValueError(f"{state['bins_per_octave']} bins an octave")
            for place, count in zip(state["places"], state["counts"], strict=True):
                histogram._counts[place] = count
            histogram._widen(sum(state["counts"]), state["minimum"], state["maximum"])
        return histogram

    def _places(self) -> npt.NDArray[np.intp]:
        return np.flatnonzero(self._counts)

    def _span(self, place: int) -> tuple[float, float]:
        low = 0.0 if place == 0 else float(_EDGES[place - 1])
        return low, self._maximum if place == _EDGES.size else float(_EDGES[place])


def _first(size: int, columns: list[npt.NDArray[Any]]) -> npt.NDArray[np.intp]:
    """Return where the first `size` rows stand, sorted by the columns, the deciding one first.

    Time is linear in the rows, and only what is kept is sorted, however many rows tie.
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


def _sum(values: Int64s) -> int:
    """Return the exact sum of numbers in [0, 2**63), as many as memory holds."""
    return (int((values >> 32).sum()) << 32) + int((values & (2**32 - 1)).sum())


def _checked(multiples: npt.ArrayLike) -> Float64s:
    values = np.asarray(multiples, dtype=np.float64)
    # The extremes of an array that holds a NaN are NaN, which no comparison accepts.
    if values.size and not (values.min() >= 0 and values.max() < LARGEST_MULTIPLE):
        wrong = values[~((values >= 0) & (values < LARGEST_MULTIPLE))]
        raise ObservationError(
            f"{wrong.size} of {values.size} multiples cannot be, the first of them {wrong[0]}: "
            f"expected numbers from 0 to {LARGEST_MULTIPLE:.0f}. Look for NaN in the attention "
            "rows; a wider dtype often cures it."
        )
    return values


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


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except (HeadtestsError, KeyError, IndexError, TypeError, ValueError) as error:
        raise RecordError(
            f"cannot read {what} from a record ({type(error).__name__}: {error}). "
            "Expected what to_dict wrote; make the record anew."
        ) from error
