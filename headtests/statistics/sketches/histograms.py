"""Sketches of the distribution of multiples: moments, and a histogram with fixed bins."""

import math
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from headtests.errors import ObservationError, SettingError
from headtests.statistics.figures import total
from headtests.statistics.quanta import Float64s, Int64s
from headtests.statistics.sketches.checks import (
    LARGEST_MULTIPLE,
    checked_extremes,
    checked_multiples,
    reading,
)


class _Extremes:
    """The base of moments and histograms: the count, the least and the greatest multiple."""

    def __init__(self) -> None:
        self._count = 0
        self._minimum = math.inf
        self._maximum = -math.inf

    @property
    def count(self) -> int:
        """The number of multiples."""
        return self._count

    @property
    def minimum(self) -> float | None:
        """The least multiple, exact; None without multiples."""
        return self._minimum if self._count else None

    @property
    def maximum(self) -> float | None:
        """The greatest multiple, exact; None without multiples."""
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
    """Count, mean and population variance of multiples, at a resolution of `2**-30`.

    Multiples are rounded to quanta and summed as integers, so that the order of updates and merges
    does not change a bit. Sums given to `add` are rounded once each.

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
        """The mean, clamped to the extremes; None without multiples."""
        if not self._count:
            return None
        return min(max(self._sum / (self._count << 30), self._minimum), self._maximum)

    @property
    def variance(self) -> float | None:
        """The population variance (divided by the count); None without multiples."""
        if not self._count:
            return None
        # Sums that were computed in floats can give a slightly negative variance.
        spread = max(0, self._count * self._sum_of_squares - self._sum**2)
        return spread / (self._count**2 << 60)

    def update(self, multiples: npt.ArrayLike) -> None:
        """Add multiples, of any shape and order.

        Raises `ObservationError` for one that is NaN, negative or out of range.
        """
        ticks = np.rint(self._see(multiples) * 2.0**30).astype(np.int64)
        # In halves of 31 bits, since the square of a tick does not fit in 64 bits.
        high, low = ticks >> 31, ticks & (2**31 - 1)
        self._sum += total(ticks)
        self._sum_of_squares += (
            (total(high * high) << 62) + (total(high * low) << 32) + total(low * low)
        )

    def add(
        self,
        count: int,
        total: float,
        total_of_squares: float,
        minimum: float,
        maximum: float,
    ) -> None:
        """Add multiples by their sums, computed elsewhere in float64, for example on a device.

        `total` is the sum of `count` multiples and `total_of_squares` the sum of their squares. If
        the count is 0, the other arguments are ignored. The order in which sums are added and
        merged does not matter; the order in which floats were summed does. Raises
        `ObservationError` for sums that multiples between the extremes cannot have.
        """
        if not count:
            return
        least, greatest = checked_extremes(minimum, maximum)
        for power, sum_of_powers in ((1, total), (2, total_of_squares)):
            low, high = count * least**power, count * greatest**power
            # Twice the relative error of summing 2**32 floats one after the other.
            if count < 0 or not low * (1 - 1e-6) <= sum_of_powers <= high * (1 + 1e-6):
                raise ObservationError(
                    f"{count} multiples from {least} to {greatest}, to the power of {power}, "
                    f"cannot have a sum of {sum_of_powers}: expected one from {low} to {high}. "
                    "Sum them in float64, and look for NaN in the attention rows."
                )
        self._widen(int(count), least, greatest)
        # Scaling by a power of two is exact, so this rounds only once.
        self._sum += round(math.ldexp(total, 30))
        self._sum_of_squares += round(math.ldexp(total_of_squares, 60))

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of the multiples of both; neither changes."""
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
            # As text, since many JSON readers turn integers over 2**53 into floats.
            "sum": str(self._sum),
            "sum_of_squares": str(self._sum_of_squares),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return the moments that `to_dict` wrote; raises `RecordError` for anything else."""
        moments = cls()
        with reading("moments"):
            count = state["count"]
            sums = [int(state[name]) for name in ("sum", "sum_of_squares")]
            if type(count) is not int or count < 0 or (not count and any(sums)):
                raise ValueError(f"a count of {count!r:.40}")
            if count:
                extremes = checked_extremes(state["minimum"], state["maximum"])
                # In ticks, rounded outward; `add` allows for the same relative error.
                low, high = int(extremes[0] * 2**30), int(extremes[1] * 2**30) + 1
                for power, found in enumerate(sums, 1):
                    least, most = count * low**power, count * high**power
                    if not least * 999_999 <= found * 1_000_000 <= most * 1_000_001:
                        raise ValueError(f"a sum of {found}, to the power of {power}")
                moments._widen(count, *extremes)
                moments._sum, moments._sum_of_squares = sums
        return moments


BINS_PER_OCTAVE = 64
"""Bins per octave, that is between a multiple and its double; all of one width."""

PLACES = 40 * BINS_PER_OCTAVE + 2
"""All bins of a histogram: 40 octaves, one bin below them and one above."""

PLACE_SHIFT = 46
"""Shifting the bits of a float64 right by this leaves its exponent and its bin of the octave."""

PLACE_OFFSET = (1023 - 20) * BINS_PER_OCTAVE - 1
"""Subtracted from the shifted bits, so that `2**-20` gets index 1 and smaller ones at most 0.

The index of a multiple's bin is `((bits >> PLACE_SHIFT) - PLACE_OFFSET).clamp(0, PLACES - 1)`,
which works on every device that can shift integers.
"""

_OCTAVE = 1 + np.arange(BINS_PER_OCTAVE) / BINS_PER_OCTAVE
_EDGES = np.append(np.ldexp(_OCTAVE, np.arange(-20, 20)[:, None]).ravel(), 2.0**20)


class Histogram(_Extremes):
    """Counts of multiples in fixed bins, 64 per octave from `2**-20` to `2**20`.

    The bins of an octave are equally wide, so that the leading bits of a float64 determine its
    bin. One more bin counts smaller multiples, including 0, and one counts larger ones.

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
        """Return the index of each multiple's bin, in [0, `PLACES`), in the same shape.

        Multiples are not validated: the result for one out of range is undefined.

        >>> Histogram.places(np.array([0.0, 2.0**-20, 1.0, 2.0, 2.0**20])).tolist()
        [0, 1, 1281, 1345, 2561]
        """
        places: Int64s = (multiples.view(np.int64) >> PLACE_SHIFT) - PLACE_OFFSET
        return places.clip(0, PLACES - 1)

    def update(self, multiples: npt.ArrayLike) -> None:
        """Add multiples, of any shape and order.

        Raises `ObservationError` for one that is NaN, negative or out of range.
        """
        self._counts += np.bincount(self.places(self._see(multiples)), minlength=PLACES)

    def add(self, counts: Int64s, minimum: float, maximum: float) -> None:
        """Add multiples that were counted elsewhere, for example on a device.

        `counts` is the number of multiples in each bin, shape `[PLACES]`, and the extremes are
        exact; they are ignored if all counts are 0. Raises `ObservationError` for counts of
        another shape or dtype, for negative counts, and for extremes in other bins than the
        first and the last count.
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
        """Return the histogram of the multiples of both; neither changes."""
        merged = copy(self)
        merged._widen(other.count, other.minimum, other.maximum)
        merged._counts = self._counts + other._counts
        return merged

    def bins(self) -> list[tuple[float, float, int]]:
        """Return `(low, high, count)` of each non-empty bin, in ascending order.

        A bin counts `low <= multiple < high`; the bin from `2**20` on ends at the maximum and
        includes it.
        """
        return [(*self._span(int(place)), int(self._counts[place])) for place in self._filled()]

    def quantile(self, share: float) -> float | None:
        """Return the quantile at a share in [0, 1]; None without multiples.

        The quantile is the smallest multiple that at least this share of all is at or below. The
        result is monotonic in the share, and exact at 0 and 1. In between it is the geometric mean
        of the ends of the quantile's bin: within a factor of `sqrt(65/64)` (0.8%) of the quantile,
        under `2**-20` within `2**-20` of it, and from `2**20` on the maximum. Raises
        `SettingError` for a share outside [0, 1].
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
        """Return the non-empty bins by index, and the extremes, in plain types fit for JSON."""
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
                raise ValueError(f"{state['bins_per_octave']} bins per octave")
            places, numbers = state["places"], state["counts"]
            if len(places) != len(numbers) or len(places) > PLACES:
                raise ValueError(f"{len(numbers)} counts in {len(places)} bins")
            if not all(type(number) is int and number >= 0 for number in (*places, *numbers)):
                raise ValueError("bins and counts should be whole numbers of at least 0")
            if len(set(places)) < len(places) or max(places, default=0) >= PLACES:
                raise ValueError(f"each bin should be named once, and be under {PLACES}")
            counts = np.zeros(PLACES, dtype=np.int64)
            counts[places] = numbers
            if sum(numbers) >= 2**62:
                raise ValueError(f"{sum(numbers)} multiples are more than can be counted")
            histogram.add(counts, state["minimum"], state["maximum"])
        return histogram

    def _filled(self) -> npt.NDArray[np.intp]:
        return np.flatnonzero(self._counts)

    def _span(self, place: int) -> tuple[float, float]:
        low = 0.0 if place == 0 else float(_EDGES[place - 1])
        return low, self._maximum if place == _EDGES.size else float(_EDGES[place])


COARSE_BINS = 4
"""Bins per octave of `coarsened`, for display."""

TINY = 2.0**-8
"""Smaller multiples share one bin of `coarsened` with 0."""


def coarsened(histograms: Sequence[Histogram]) -> tuple[list[float], list[list[int]]]:
    """Return common bin edges for display, and the counts of each histogram in those bins.

    Edges ascend, with `COARSE_BINS` bins per octave, from the first non-empty bin of any histogram
    to the last; one bin counts everything under `TINY`. A bin counts `low <= multiple < high`. If
    all histograms are empty there are no edges.

    >>> first, second = Histogram(), Histogram()
    >>> first.update([0.0, 1e-9, 0.005])
    >>> second.update([0.0051])
    >>> coarsened([first, second])
    ([0.0, 0.00390625, 0.0048828125, 0.005859375], [[2, 0, 1], [0, 0, 1]])
    """
    edges = np.concatenate(
        [[0.0], _EDGES[_EDGES >= TINY][:: BINS_PER_OCTAVE // COARSE_BINS], [LARGEST_MULTIPLE]]
    )
    fine = np.concatenate([[0.0], _EDGES])
    starts = np.searchsorted(fine, edges[:-1])
    counts = np.array([np.add.reduceat(histogram._counts, starts) for histogram in histograms])
    filled = np.flatnonzero(counts.any(0)) if len(counts) else np.zeros(0, dtype=np.int64)
    if not filled.size:
        return [], [[] for _ in histograms]
    shown = slice(int(filled[0]), int(filled[-1]) + 1)
    return edges[shown.start : shown.stop + 1].tolist(), counts[:, shown].tolist()
