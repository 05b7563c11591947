"""Intervals: the thresholds that documents do not decide, by the very rule that decides claims."""

import math

from headtests.statistics.betting import require_alpha, settles_over
from headtests.statistics.contrasts import Contrast

_PLACES: int = 2**20
"""How many steps there are from one end of a span to the other."""


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
    low, high = contrast.span

    def threshold(place: int) -> float:
        share = place / _PLACES
        # A span without end is gone through by shares of 1, as what `t / (1 + t)` is of it.
        return low + (share * (high - low) if high < math.inf else share / (1 - share))

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
    return threshold(known), high if refuted == _PLACES else threshold(refuted)
