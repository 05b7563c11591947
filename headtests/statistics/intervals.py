"""Intervals: the thresholds that documents do not decide, by the very rule that decides claims.

How they close as documents are read is told to what can be drawn.
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
"""How many steps there are from one end of a span to the other."""
_COARSE: int = 2**12
"""The same where what is drawn will do."""
_SURELY = 1 + 1e-9
"""What wealth must be more than the least that decides, since it is rounded in another order."""


def bounds(contrast: Contrast, alpha: float) -> tuple[float, float]:
    """Return the ends of the interval in which thresholds are not decided by these documents.

    `figure >= low` is known to hold, and `figure >= high` to be refuted, each with a false decision
    in at most a share `alpha` of samples, however often it was looked at; both ends together in
    2 alpha. To a millionth of the span, outward; both the value itself where the documents are the
    whole population; `high` is infinite where no threshold is refuted. Raises `ValueError` for an
    alpha outside (0, 0.5), and where the whole population has no value.

    >>> import numpy as np
    >>> from headtests.statistics import QUANTA, Mean
    >>> low, high = bounds(Mean(np.full(50, QUANTA // 2), 1000), 0.001)
    >>> low < 0.5 < high
    True
    """
    require_alpha(alpha)
    if contrast.population == len(contrast):
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
    """Return the interval after each of some prefixes: how the documents closed it.

    Each is what `bounds` says of that prefix, to a 4096th of the span, outward; a longer prefix
    has one within that of a shorter. Raises `ValueError` for an alpha outside (0, 0.5).

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
    """Return the thresholds that lie at shares of the span."""
    low, high = contrast.span
    # A span without end is gone through by shares of 1, as what `t / (1 + t)` is of it.
    return low + (shares * (high - low) if high < math.inf else shares / (1 - shares))


def _searched(contrast: Contrast, alpha: float, lengths: Int64s) -> tuple[Int64s, Int64s]:
    """Return up to where each prefix knows its figure to lie over thresholds, and from where under.

    As places, of `_COARSE` in the span.
    """
    # The second half of the searches looks for the other end.
    of_upper = np.repeat([False, True], len(lengths))
    lengths = np.tile(lengths, 2)
    below, above = np.zeros_like(lengths), np.full_like(lengths, _COARSE)
    # Every bracket is halved at once, and all prefixes learn from each threshold.
    while (above - below > 1).any():
        middle = (below + above) // 2
        asked, which = np.unique(2 * middle + of_upper, return_inverse=True)
        places, mirrored = asked // 2, asked % 2 == 1
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
    """Yield where lengths are of one size, to a factor of 8, so that few columns are idle."""
    sizes = np.ceil(np.log2(np.maximum(lengths, 64)) / 3)
    for size in np.unique(sizes):
        yield np.flatnonzero(sizes == size)


def _whole(population: int | None) -> int:
    return 1 if population is None else population


def _settled_since(
    values: Float64s, boundaries: Float64s, population: int | None, alpha: float, ties: Bools
) -> Int64s:
    """Return the length of the first prefix that settles a figure over each of some thresholds.

    More than there are where none does. As `settles_over` has it, of values `[threshold, n]` of a
    unit of 1, boundaries `[threshold]` and whether each counts as over it, `[threshold]`.
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
        # Within the span, nothing is certain of a sample.
        reached = np.zeros(values.shape, dtype=np.bool_)
        means = np.broadcast_to(boundaries, values.shape)
    else:
        sums, slack = np.cumsum(values, axis=1), population / (2 * QUANTA)
        reached = np.where(ties[:, None], sums >= boundaries - slack, sums > boundaries + slack)
        means = (boundaries - (sums - values)) / (population - np.arange(values.shape[1]))
    bettable = (means > NOTHING) & (means <= 1)
    gains = np.divide(values, means, out=np.ones(values.shape), where=bettable) - 1
    with np.errstate(over="ignore", under="ignore"):
        # Products take less time than logarithms. What is too large for a float decides, and what
        # is too small for one never will.
        wealth = sum(np.cumprod(1 + part * gains, axis=1) for part in FRACTIONS.tolist())
    reached |= wealth >= len(FRACTIONS) / alpha * _SURELY
    since: Int64s = np.where(reached.any(1), reached.argmax(1) + 1, values.shape[1] + 1)
    return since
