"""How many documents a comparison is likely to take, before it is begun or where it was not enough.

The evidence grows by about `gap**2 / (2 * deviation**2)` a document, and a claim needs `ln(1 /
alpha)` of it, and 2 more to pay for not knowing the best fraction to bet.
"""

import math
from fractions import Fraction

import numpy as np

from headtests.statistics.betting import FRACTIONS, require_alpha
from headtests.statistics.contrasts import Contrast


def planned_documents(
    gap: float, deviation: float, alpha: float = 0.001, population: int | None = None
) -> int:
    """Return how many documents a comparison takes, of which about half take fewer.

    `gap` is the distance from the threshold, `deviation` the standard deviation of the documents'
    figures, in the same unit, each 0 or more. At least 1; at most the population, which a gap of 0
    takes whole. Raises `ValueError` for a negative gap or deviation, an alpha outside (0, 0.5), and
    a gap of 0 without a population, which no number of documents would decide.

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
            f"expected a gap that some number of documents shows but found {gap!r}, with a "
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
    """Return about how many documents it takes to tell a share from a threshold.

    `expected` is what the share is thought to be, `deviation` the standard deviation of the
    documents' figures. However much documents agree, a bet on one of them wins no more than its
    odds allow. At most the population. Raises `ValueError` for a threshold or an expectation
    outside [0, 1], a negative deviation, an alpha outside (0, 0.5), and, without a population, a
    threshold that is expected to be met exactly.

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
    # The odds of the larger stake, all of which may be won where documents do not differ.
    odds = threshold if gap > 0 else 1 - threshold
    if not gap or not odds:
        return planned
    fastest = math.log1p(FRACTIONS[-1] * abs(gap) / odds)
    needed = max(planned, math.ceil(math.log(len(FRACTIONS) / alpha) / fastest))
    return needed if population is None else min(needed, population)


def more_documents(contrast: Contrast, threshold: Fraction, alpha: float) -> int | None:
    """Return how many documents more a comparison is likely to take that these did not decide.

    From the gap and the spread of those at hand; at least 1, at most the rest of the population.
    None where no number would do: figures that are the threshold itself, without a population, or
    no documents at all. A threshold outside the span counts as its end. Raises `ValueError` for an
    alpha outside (0, 0.5).
    """
    require_alpha(alpha)
    read, population = len(contrast), contrast.population
    if not read:
        return population
    # A ratio that is compared with another may be planned for what it can never be.
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
