"""How multiples are distributed: their moments, and a histogram of fixed bins."""

import math
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from headtests.errors import SettingError
from headtests.statistics.sketches.checks import (
    LARGEST_MULTIPLE,
    Float64s,
    ObservationError,
    checked_extremes,
    checked_multiples,
    reading,
)

Int64s = npt.NDArray[np.int64]


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
        values = checked_multiples(multiples).ravel()
        if values.size:
            self._widen(values.size, *checked_extremes(values.min(), values.max()))
        return values


class Moments(_Extremes):
    """Count, mean and population variance of multiples, to a resolution of `2**-30`.

    Multiples are rounded to that grid and summed as integers, so that no order of updates and
    merges changes a bit. Sums that `add` takes are rounded to it once each, as sums.

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
        # Sums that were found in floats can amount to squares a little less than can be.
        spread = max(0, self._count * self._sum_of_squares - self._sum**2)
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

    def add(
        self,
        count: int,
        total: float,
        total_of_squares: float,
        minimum: float,
        maximum: float,
    ) -> None:
        """Take in multiples whose sums were found elsewhere in float64, those of a document say.

        `total` is the sum of `count` multiples and `total_of_squares` that of their squares;
        where the count is 0 nothing else is looked at. The order in which such sums are taken in
        and merged does not matter; that in which their floats were added up does.
        Raises `ObservationError` for sums that no multiples between the extremes have.
        """
        if not count:
            return
        least, greatest = checked_extremes(minimum, maximum)
        for power, found in ((1, total), (2, total_of_squares)):
            low, high = count * least**power, count * greatest**power
            # Twice what 2**32 floats can lose that are added one after the other.
            if count < 0 or not low * (1 - 1e-6) <= found <= high * (1 + 1e-6):
                raise ObservationError(
                    f"{count} multiples from {least} to {greatest}, to the power of {power}, "
                    f"cannot have a sum of {found}: expected one from {low} to {high}. Sum them "
                    "in float64, and look for NaN in the attention rows."
                )
        self._widen(int(count), least, greatest)
        # A power of two only moves a float's exponent, so the one rounding is that to the grid.
        self._sum += round(math.ldexp(total, 30))
        self._sum_of_squares += round(math.ldexp(total_of_squares, 60))

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
        with reading("moments"):
            moments._widen(state["count"], state["minimum"], state["maximum"])
            moments._sum = int(state["sum"])
            moments._sum_of_squares = int(state["sum_of_squares"])
        return moments


BINS_PER_OCTAVE = 64
"""Bins of a histogram between a multiple and its double, each a 64th of the lower one wide."""

PLACES = 40 * BINS_PER_OCTAVE + 2
"""Bins of a histogram in all: 40 octaves, what is below them and what is above."""

PLACE_SHIFT = 46
"""How far to shift a float64's bits to the right for its exponent and its bin of the octave."""

PLACE_OFFSET = (1023 - 20) * BINS_PER_OCTAVE - 1
"""What to take from bits so shifted: then `2**-20` is at 1, and all below it at 0 or less.

Clamped to [0, `PLACES`), that is a multiple's place in a histogram, on any device that can shift
integers: `((bits >> PLACE_SHIFT) - PLACE_OFFSET).clamp(0, PLACES - 1)`.
"""

_OCTAVE = 1 + np.arange(BINS_PER_OCTAVE) / BINS_PER_OCTAVE
_EDGES = np.append(np.ldexp(_OCTAVE, np.arange(-20, 20)[:, None]).ravel(), 2.0**20)


class Histogram(_Extremes):
    """Counts of multiples in fixed bins, 64 an octave from `2**-20` to `2**20`.

    The bins of an octave are equally wide, so that the leading bits of a float64 say its bin. One
    more bin takes what is smaller, zeros included, and one what is larger.

    >>> histogram = Histogram()
    >>> histogram.update([0.0, 1.0, 1.0, 4.0])
    >>> [(low, count) for low, high, count in histogram.bins()]
    [(0.0, 1), (1.0, 2), (4.0, 1)]
    >>> histogram.quantile(0), histogram.quantile(1)
    (0.0, 4.0)
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts = np.zeros(PLACES, dtype=np.int64)

    @staticmethod
    def places(multiples: Float64s) -> Int64s:
        """Return the place of each multiple's bin, in [0, `PLACES`), in the same shape.

        Multiples are not looked at, and one that cannot be has a place that means nothing.

        >>> Histogram.places(np.array([0.0, 2.0**-20, 1.0, 2.0, 2.0**20])).tolist()
        [0, 1, 1281, 1345, 2561]
        """
        places: Int64s = (multiples.view(np.int64) >> PLACE_SHIFT) - PLACE_OFFSET
        return places.clip(0, PLACES - 1)

    def update(self, multiples: npt.ArrayLike) -> None:
        """Take in multiples, of any shape and order.

        Raises `ObservationError` for one that is NaN, negative or out of range.
        """
        self._counts += np.bincount(self.places(self._see(multiples)), minlength=PLACES)

    def add(self, counts: Int64s, minimum: float, maximum: float) -> None:
        """Take in multiples that were counted elsewhere, on a device say.

        `counts` holds how many are at each of the `PLACES`, and the extremes are exact; where
        none is counted they are not looked at. Raises `ObservationError` for counts of another
        shape or dtype, or negative ones, and for extremes in other bins than the counts.
        """
        if counts.shape != (PLACES,) or counts.dtype.kind != "i" or counts.min() < 0:
            raise ObservationError(
                f"counts of multiples are {counts.dtype.name} of shape {counts.shape}, expected "
                f"integers of at least 0 for each of {PLACES} places. Count what Histogram.places "
                "gives."
            )
        filled = np.flatnonzero(counts)
        if not filled.size:
            return
        extremes = checked_extremes(minimum, maximum)
        expected = self.places(np.array(extremes)).tolist()
        if [filled[0], filled[-1]] != expected:
            raise ObservationError(
                f"multiples are counted at places {filled[0]} to {filled[-1]}, but from "
                f"{minimum} to {maximum} they are at {expected[0]} to {expected[1]}. Give the "
                "extremes of the multiples that were counted, in float64."
            )
        self._widen(int(counts.sum()), *extremes)
        self._counts += counts

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
        return [(*self._span(int(place)), int(self._counts[place])) for place in self._filled()]

    def quantile(self, share: float) -> float | None:
        """Return the multiple that a share of all, in [0, 1], are at or below; None of none.

        It never falls as the share grows, and is exact at 0 and 1. In between it is the
        geometric middle of the bin where the smallest such multiple lies, within a factor of
        `sqrt(65/64)` of it (0.8%); under `2**-20` it is within `2**-20` of it, and from `2**20`
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
        places = self._filled()
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
        with reading("a histogram"):
            if state["bins_per_octave"] != BINS_PER_OCTAVE:
                raise ValueError(f"{state['bins_per_octave']} bins an octave")
            places = np.asarray(state["places"], dtype=np.int64)
            counts = np.bincount(places, weights=state["counts"], minlength=PLACES)
            histogram.add(counts.astype(np.int64), state["minimum"], state["maximum"])
        return histogram

    def _filled(self) -> npt.NDArray[np.intp]:
        return np.flatnonzero(self._counts)

    def _span(self, place: int) -> tuple[float, float]:
        low = 0.0 if place == 0 else float(_EDGES[place - 1])
        return low, self._maximum if place == _EDGES.size else float(_EDGES[place])


COARSE_BINS = 4
"""Bins of an octave where histograms are shown."""

TINY = 2.0**-8
"""What is a smaller multiple than this is shown in one bin with 0."""


def coarsened(histograms: Sequence[Histogram]) -> tuple[list[float], list[list[int]]]:
    """Return the edges of a few common bins, ascending, and how many multiples each has in each.

    `COARSE_BINS` an octave, from the first that any fills to the last; one first bin for all under
    `TINY`. A bin holds `low <= multiple < high`. Of no multiples there are no edges.

    >>> one, other = Histogram(), Histogram()
    >>> one.update([0.0, 1e-9, 0.005])
    >>> other.update([0.0051])
    >>> coarsened([one, other])
    ([0.0, 0.00390625, 0.0048828125, 0.005859375], [[2, 0, 1], [0, 0, 1]])
    """
    edges = np.concatenate(
        [[0.0], _EDGES[_EDGES >= TINY][:: BINS_PER_OCTAVE // COARSE_BINS], [LARGEST_MULTIPLE]]
    )
    fine = np.concatenate([[0.0], _EDGES])
    starts = np.searchsorted(fine, edges[:-1])
    counts = np.array([np.add.reduceat(one._counts, starts) for one in histograms])
    filled = np.flatnonzero(counts.any(0)) if len(counts) else np.zeros(0, dtype=np.int64)
    if not filled.size:
        return [], [[] for _ in histograms]
    shown = slice(int(filled[0]), int(filled[-1]) + 1)
    return edges[shown.start : shown.stop + 1].tolist(), counts[:, shown].tolist()


def _sum(values: Int64s) -> int:
    """Return the exact sum of numbers in [0, 2**63), as many as memory holds."""
    return (int((values >> 32).sum()) << 32) + int((values & (2**32 - 1)).sum())
