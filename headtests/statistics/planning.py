"""Sample sizes: how many documents a comparison is likely to need.

With the best fixed bet, the log wealth grows by about `gap**2 / (2 * deviation**2)` a document
(Waudby-Smith and Ramdas 2023, "Estimating means of bounded random variables by betting": the
growth rate to second order). A decision needs `ln(1 / alpha)`, and about `ln(8)`, rounded to 2,
because the mixture spreads its wealth over 8 fractions.
"""

import math
from fractions import Fraction

import numpy as np

from headtests.statistics.betting import FRACTIONS, require_alpha
from headtests.statistics.contrasts import Contrast


def planned_documents(
    gap: float, deviation: float, alpha: float = 0.001, population: int | None = None
) -> int:
    """Return about the median number of documents that a comparison takes.

    `gap` is the distance from the threshold and `deviation` the standard deviation of the
    documents' figures, in the same unit, each at least 0. The result is at least 1 and at most the
    population; a gap of 0 needs the whole population. Raises `ValueError` for a negative gap or
    deviation, an alpha outside (0, 0.5), and a gap of 0 without a population, which no number of
    documents decides.

    >>> planned_documents(gap=0.1, deviation=0.2)
    72
    """
    require_alpha(alpha)
    if not gap >= 0 or not deviation >= 0:
        raise ValueError(
            f"expected a gap and a deviation of 0 or more but found {gap!r} and {deviation!r}."
        )
    ratio = deviation / gap if gap else math.inf
    needed = 2 * (math.log(1 / alpha) + 2) * ratio * ratio
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
) -> int:
    """Return about how many documents it takes to decide whether a share is over a threshold.

    `expected` is the presumed share, in [0, 1], and `deviation` the standard deviation of the
    documents' shares. The result is at least what `planned_documents` returns, at least what the
    largest possible gain per bet allows, and at most the population. Raises `ValueError` for a
    threshold or an expectation outside [0, 1], a negative deviation, an alpha outside (0, 0.5),
    and, without a population, an expectation that equals the threshold.

    >>> documents_needed(threshold=0.9, expected=0.95, deviation=0.02)
    175
    >>> documents_needed(threshold=0.3, expected=0.4, deviation=0.2)
    72
    """
    if not 0 <= threshold <= 1 or not 0 <= expected <= 1:
        raise ValueError(
            f"expected a threshold and an expectation from 0 to 1 but found {threshold!r} and "
            f"{expected!r}."
        )
    gap = expected - threshold
    planned = planned_documents(abs(gap), deviation, alpha, population)
    # The most that a bet can win per document, reached if all documents have the same figure.
    odds = threshold if gap > 0 else 1 - threshold
    if not gap or not odds:
        return planned
    fastest = math.log1p(FRACTIONS[-1] * abs(gap) / odds)
    needed = max(planned, math.ceil(math.log(len(FRACTIONS) / alpha) / fastest))
    return needed if population is None else min(needed, population)


def more_documents(contrast: Contrast, threshold: Fraction, alpha: float) -> int | None:
    """Return how many more documents an undecided comparison is likely to take.

    Estimated from the gap and the standard deviation of the documents read so far; at least 1, at
    most the rest of the population. None without a population if no document was read, or if the
    figure equals the threshold, which no number of documents decides. A threshold outside the span
    counts as the nearer end of the span. Raises `ValueError` for an alpha outside (0, 0.5).
    """
    require_alpha(alpha)
    read, population = len(contrast), contrast.population
    if not read:
        return population
    # Comparing two ratios may ask for a threshold that a ratio can never reach.
    low, high = contrast.span
    threshold = max(threshold, Fraction(low))
    if high < math.inf:
        threshold = min(threshold, Fraction(high))
    scores = contrast.scores(threshold)
    figures = scores.values.astype(np.float64) / float(scores.unit)
    null = float(scores.boundary / scores.unit / (population or 1))
    gap = float(figures.mean()) - null
    if gap == 0:
        return None if population is None else max(1, population - read)
    bounded = min(max(null, 0.0), 1.0), min(max(null + gap, 0.0), 1.0)
    return max(1, documents_needed(*bounded, float(figures.std()), alpha, population) - read)
