"""Confidence intervals: the thresholds that a set of documents leaves undecided.

Each interval inverts the test of `betting` that decides claims: apart from rounding outward, a
claim is decided exactly when its threshold lies outside the interval. Over the documents read, the
intervals form a confidence sequence (Waudby-Smith and Ramdas 2023, "Estimating means of bounded
random variables by betting", section 4).
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from headtests.statistics.betting import FRACTIONS, NOTHING, require_alpha, settles_over
from headtests.statistics.contrasts import Contrast
from headtests.statistics.quanta import QUANTA, Float64s, Int64s

Bools = npt.NDArray[np.bool_]

_PLACES: int = 2**20
"""The number of steps in a span, for the search of `bounds`."""
_COARSE: int = 2**12
"""The number of steps in a span, for the search of `narrowing`, which is drawn only."""
_SURELY = 1 + 1e-9
"""By what factor wealth must exceed `1 / alpha`: products round differently from logarithms."""


def bounds(contrast: Contrast, alpha: float) -> tuple[float, float]:
    """Return the lower and upper end of the interval of undecided thresholds.

    `figure >= low` holds and `figure >= high` is refuted, each at a false-decision rate of
    `alpha`, however often the interval was computed on the way; both together at `2 * alpha`. Ends
    are rounded outward to a 2**-20 of the span. Both are the value itself if the documents are the
    whole population, unless its divisor is so small that rounding hides the value; `high` is
    infinite if no threshold is refuted. Raises `ValueError` for an
    alpha outside (0, 0.5), and if the whole population has no value.

    >>> import numpy as np
    >>> from headtests.statistics import QUANTA, Mean
    >>> low, high = bounds(Mean(np.full(50, QUANTA // 2), 1000), 0.001)
    >>> low < 0.5 < high
    True
    """
    require_alpha(alpha)
    if contrast.population == len(contrast) and not contrast.rounding:
        return float(contrast.value), float(contrast.value)

    def threshold(place: int) -> float:
        return float(_threshold(contrast, np.array(place / _PLACES)))

    def over(place: int) -> bool:
        return settles_over(contrast.approximate(threshold(place)), alpha, ties=True)

    def under(place: int) -> bool:
        scores = contrast.approximate(threshold(place)).mirrored()
        return settles_over(scores, alpha, ties=False)

    known, open_above = 0, _PLACES
    while open_above - known > 1:
        middle = (known + open_above) // 2
        known, open_above = (middle, open_above) if over(middle) else (known, middle)
    below, refuted = known, _PLACES
    while refuted - below > 1:
        middle = (below + refuted) // 2
        below, refuted = (below, middle) if under(middle) else (middle, refuted)
    return threshold(known), contrast.span[1] if refuted == _PLACES else threshold(refuted)


def narrowing(
    contrast: Contrast, alpha: float, prefixes: Sequence[int]
) -> list[tuple[float, float]]:
    """Return the interval after each of several prefixes of the documents.

    Each is the result of `bounds` for that prefix, rounded outward to a 4096th of the span; the
    interval of a longer prefix lies within that of a shorter one. `prefixes` are lengths. Raises
    `ValueError` for an alpha outside (0, 0.5).

    >>> from headtests.statistics import QUANTA, Mean
    >>> first, later = narrowing(Mean(np.full(50, QUANTA // 2), 1000), 0.001, [10, 50])
    >>> first[0] < later[0] < 0.5 < later[1] < first[1]
    True
    """
    require_alpha(alpha)
    lengths = np.array(prefixes, dtype=np.int64)
    known, refuted = _searched(contrast.first(int(lengths.max(initial=0))), alpha, lengths)
    lows = _threshold(contrast, known / _COARSE)
    highs = np.full(len(lengths), contrast.span[1])
    some = refuted < _COARSE
    highs[some] = _threshold(contrast, refuted[some] / _COARSE)
    return list(zip(lows.tolist(), highs.tolist(), strict=True))


def _threshold(contrast: Contrast, shares: Float64s) -> Float64s:
    """Return the thresholds at the given shares, in [0, 1], of the span."""
    low, high = contrast.span
    # An infinite span is searched on the scale of `t / (1 + t)`.
    return low + (shares * (high - low) if high < math.inf else shares / (1 - shares))


def _searched(contrast: Contrast, alpha: float, lengths: Int64s) -> tuple[Int64s, Int64s]:
    """Return the last threshold that each prefix decides as exceeded, and the first as refuted.

    As indices of the `_COARSE` steps of the span.
    """
    # The first half of the searches looks for the lower end, the second half for the upper.
    of_upper = np.repeat([False, True], len(lengths))
    lengths = np.tile(lengths, 2)
    below, above = np.zeros_like(lengths), np.full_like(lengths, _COARSE)
    # All brackets are halved at once; searches that ask for one threshold share its result.
    while (above - below > 1).any():
        middle = (below + above) // 2
        codes, which = np.unique(2 * middle + of_upper, return_inverse=True)
        places, mirrored = codes // 2, codes % 2 == 1
        values, boundaries = contrast.approximate_each(_threshold(contrast, places / _COARSE))
        values[mirrored] = 1 - values[mirrored]
        boundaries[mirrored] = _whole(contrast.population) - boundaries[mirrored]
        needed = np.zeros_like(places)
        np.maximum.at(needed, which, lengths)
        since = np.empty_like(places)
        for rows in _of_like_length(needed):
            read = values[rows, : needed[rows].max()], boundaries[rows]
            since[rows] = _settled_since(*read, contrast.population, alpha, ~mirrored[rows])
        decided = since[which] <= lengths
        below = np.where(decided == of_upper, below, middle)
        above = np.where(decided == of_upper, middle, above)
    known, refuted = np.split(np.where(of_upper, above, below), 2)
    return known, refuted


def _of_like_length(lengths: Int64s) -> Iterator[Int64s]:
    """Yield indices of lengths that are equal up to a factor of 8, so that little is padding."""
    sizes = np.ceil(np.log2(np.maximum(lengths, 64)) / 3)
    for size in np.unique(sizes):
        yield np.flatnonzero(sizes == size)


def _whole(population: int | None) -> int:
    return 1 if population is None else population


def _settled_since(
    values: Float64s, boundaries: Float64s, population: int | None, alpha: float, ties: Bools
) -> Int64s:
    """Return the length of the first prefix that decides the figure to be over each threshold.

    `n + 1` if none does. Decides as `settles_over` does. `values` has a unit of 1 and shape
    `[threshold, n]`; `boundaries` and `ties`, whether an equal figure counts as over, have shape
    `[threshold]`.
    """
    since, never = _reached_since(values, boundaries, population, alpha, ties), values.shape[1] + 1
    reached = np.flatnonzero(since < never)
    before = 1 - values[reached, : since[reached].max(initial=1)]
    other_side = _whole(population) - boundaries[reached]
    other_way = _reached_since(before, other_side, population, alpha, ~ties[reached])
    since[reached[other_way < since[reached]]] = never
    return since


def _reached_since(
    values: Float64s, boundaries: Float64s, population: int | None, alpha: float, ties: Bools
) -> Int64s:
    boundaries = boundaries[:, None]
    if population is None:
        # Within the span, independent draws never make a side certain.
        reached = np.zeros(values.shape, dtype=np.bool_)
        means = np.broadcast_to(boundaries, values.shape)
    else:
        sums, slack = np.cumsum(values, axis=1), population / (2 * QUANTA)
        reached = np.where(ties[:, None], sums >= boundaries - slack, sums > boundaries + slack)
        means = (boundaries - (sums - values)) / (population - np.arange(values.shape[1]))
    bettable = (means > NOTHING) & (means <= 1)
    gains = np.divide(values, means, out=np.ones(values.shape), where=bettable) - 1
    with np.errstate(over="ignore", under="ignore"):
        # Products are faster than logarithms. Overflow to infinity decides, and underflow to 0
        # never will, as it should be.
        wealth = sum(np.cumprod(1 + part * gains, axis=1) for part in FRACTIONS.tolist())
    reached |= wealth >= len(FRACTIONS) / alpha * _SURELY
    since: Int64s = np.where(reached.any(1), reached.argmax(1) + 1, values.shape[1] + 1)
    return since
