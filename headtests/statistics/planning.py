"""Sample sizes: how many documents a comparison is likely to need.

With the best fixed bet, the log wealth grows by about `gap**2 / (2 * deviation**2)` a document
(Waudby-Smith and Ramdas 2023, "Estimating means of bounded random variables by betting": the
growth rate to second order). A decision needs `ln(1 / alpha)`, and about `ln(8)`, rounded to 2,
because the mixture spreads its wealth over 8 fractions.

Quartiles take the sum of the figures for a Brownian motion that is decided where its square reaches
`2 * growth * deviation**2 * n`, with `growth` the two terms above.
"""

import math
from fractions import Fraction
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from headtests.statistics.betting import FRACTIONS, require_alpha
from headtests.statistics.contrasts import Contrast


class MoreDocuments(NamedTuple):
    """How many more documents an undecided comparison takes: about a half of those like it."""

    median: int
    lower: int
    """About a quarter take no more than this: the lower quartile."""
    upper: int | None
    """About a quarter take more than this: the upper quartile. None if so many never decide."""


def planned_documents(
    gap: float,
    deviation: float,
    alpha: float = 0.001,
    population: int | None = None,
    quantile: float = 0.5,
) -> int:
    """Return about the median number of documents that a comparison takes, or another quantile.

    `gap` is the distance from the threshold and `deviation` the standard deviation of the
    documents' figures, in the same unit, each at least 0. The result is at least 1 and at most the
    population; a gap of 0 needs the whole population. Raises `ValueError` for a negative gap or
    deviation, an alpha outside (0, 0.5), a quantile outside (0, 1), and a gap of 0 without a
    population, which no number of documents decides.

    >>> planned_documents(gap=0.1, deviation=0.2)
    72
    """
    require_alpha(alpha)
    if not 0 < quantile < 1:
        raise ValueError(f"expected a quantile over 0 and under 1 but found {quantile!r}.")
    if not gap >= 0 or not deviation >= 0:
        raise ValueError(
            f"expected a gap and a deviation of 0 or more but found {gap!r} and {deviation!r}."
        )
    ratio = deviation / gap if gap else math.inf
    reach = math.sqrt(_twice_growth(alpha)) + NormalDist().inv_cdf(quantile)
    needed = reach * reach * ratio * ratio
    if population is not None:
        return max(1, math.ceil(min(needed, population)))
    if math.isinf(needed):
        raise ValueError(
            f"expected a gap that some number of documents can show but found {gap!r}, with a "
            f"deviation of {deviation!r}."
        )
    return max(1, math.ceil(needed))


def documents_needed(
    threshold: float,
    expected: float,
    deviation: float,
    alpha: float = 0.001,
    population: int | None = None,
    quantile: float = 0.5,
) -> int:
    """Return about how many documents it takes to decide whether a share is over a threshold.

    It is a median: about a half of such claims take more. `quantile=0.75` gives the number that a
    quarter of them exceed, and `quantile=0.25` the one that a quarter stay below. `expected` is the
    presumed share, in [0, 1], and `deviation` the standard deviation of the documents' shares. The
    result is at least what `planned_documents` returns, at least what the largest possible gain per
    bet allows, and at most the population. Raises `ValueError` for a threshold or an expectation
    outside [0, 1], a negative deviation, an alpha outside (0, 0.5), a quantile outside (0, 1), and,
    without a population, an expectation that equals the threshold.

    >>> documents_needed(threshold=0.9, expected=0.95, deviation=0.02)
    175
    >>> documents_needed(threshold=0.3, expected=0.4, deviation=0.2)
    72
    >>> [documents_needed(0.3, 0.4, 0.2, quantile=part) for part in (0.25, 0.75)]
    [51, 96]
    """
    if not 0 <= threshold <= 1 or not 0 <= expected <= 1:
        raise ValueError(
            f"expected a threshold and an expectation from 0 to 1 but found {threshold!r} and "
            f"{expected!r}."
        )
    gap = expected - threshold
    planned = planned_documents(abs(gap), deviation, alpha, population, quantile)
    needed = max(planned, _fastest(threshold, gap, alpha))
    return needed if population is None else min(needed, population)


def _twice_growth(alpha: float) -> float:
    """Return twice the growth of the log wealth that a decision takes."""
    return 2 * (math.log(1 / alpha) + 2)


def _fastest(threshold: float, gap: float, alpha: float) -> int:
    """Return the fewest documents that can decide, if all have the same figure."""
    odds = threshold if gap > 0 else 1 - threshold
    if not gap or not odds:
        return 1
    # The most that a bet can win per document.
    fastest = math.log1p(FRACTIONS[-1] * abs(gap) / odds)
    return math.ceil(math.log(len(FRACTIONS) / alpha) / fastest)


def more_documents(contrast: Contrast, threshold: Fraction, alpha: float) -> MoreDocuments | None:
    """Return how many more documents an undecided comparison is likely to take.

    Estimated from the gap and the standard deviation of the documents read so far, so that the
    quartiles account for what these leave open; each number is at least 1, and at most the rest of
    the population. None without a population if no document was read, or if the figure equals the
    threshold, which no number of documents decides. A threshold outside the span counts as the
    nearer end of the span. Raises `ValueError` for an alpha outside (0, 0.5).
    """
    require_alpha(alpha)
    read, population = len(contrast), contrast.population
    if not read:
        return None if population is None else MoreDocuments(*[population] * 3)
    # Comparing two ratios may ask for a threshold that a ratio can never reach.
    low, high = contrast.span
    threshold = max(threshold, Fraction(low))
    if high < math.inf:
        threshold = min(threshold, Fraction(high))
    scores = contrast.scores(threshold)
    figures = scores.values.astype(np.float64) / float(scores.unit)
    null = float(scores.boundary / scores.unit / (population or 1))
    gap, deviation = float(figures.mean()) - null, float(figures.std())
    null, mean = (min(max(figure, 0.0), 1.0) for figure in (null, null + gap))
    fastest = _fastest(null, mean - null, alpha)

    def more(quantile: float) -> int | None:
        needed = max(_in_all(abs(mean - null), deviation, read, alpha, quantile), fastest)
        rest = needed - read if population is None else min(needed, population) - read
        return max(1, math.ceil(rest)) if math.isfinite(rest) else None

    lower, median, upper = map(more, (0.25, 0.5, 0.75))
    return None if lower is None or median is None else MoreDocuments(median, lower, upper)


def _in_all(gap: float, deviation: float, read: int, alpha: float, quantile: float) -> float:
    """Return how many documents decide in all, infinite if none do.

    The average of `n` documents, given those read, varies by `deviation**2 * (1 / read - 1 / n)`,
    and decides where it is `deviation * sqrt(2 * growth / n)` from the threshold. Solved for `n`.
    """
    if not deviation:
        return 0.0 if gap else math.inf
    ratio, growth = gap / deviation, _twice_growth(alpha)
    normal = NormalDist().inv_cdf(1 - quantile)
    whole = growth + normal**2
    beside = math.sqrt(max(0.0, whole / read - ratio**2))
    # The root of 1 / n.
    root = (ratio * math.sqrt(growth) + normal * beside) / whole
    return 1 / root**2 if root > 0 else math.inf
