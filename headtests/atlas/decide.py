"""Each proposal decided on the second half, and e-BH over all of them.

The second half took no part in choosing, so that its e-values are valid for the claims that were
chosen (Wang and Ramdas 2022, "False discovery rate control with e-values", section 5). A half's
documents are all read at once: an e-value is that after the last one, and no rule of stopping
enters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from headtests.claims.verdicts import Verdict
from headtests.statistics import (
    Contrast,
    Int64s,
    Mean,
    Ratio,
    bounds,
    e_bh,
    log_wealth,
    quantised_fraction,
)

LEVEL = 0.05
"""The false discovery rate over all proposals of an atlas."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What the second half says of a claim that a share is at least a threshold."""

    verdict: Verdict
    log_e: float
    """Natural logarithm of the e-value for the claim; 0 without documents."""
    value: float
    low: float
    high: float
    """Bounds of the share, each at alpha."""


def decide(mass: Int64s, off_rest: Int64s | None, threshold: float, alpha: float) -> Decided | None:
    """Return the decision on `mass / off_rest >= threshold`; None if that divides by 0.

    Columns are in quanta, one for each document, `[document]`; without `off_rest` the claim is
    about the average of `mass`. The claim holds if its e-value is at least `1 / alpha`, and is
    refuted if that against it is. Documents are a random sample of the half: their products of bets
    are e-values whether they are drawn with replacement or without, since samples of a finite
    population are negatively associated (Joag-Dev and Proschan 1983, "Negative association of
    random variables with applications", section 3.2).
    """
    if not len(mass) or (off_rest is not None and not off_rest.any()):
        return None
    contrast: Contrast = Mean(mass, None)
    if off_rest is not None:
        contrast = Ratio(np.minimum(mass, off_rest), off_rest, Fraction(1), None)
    verdict, log_e = verdict_on(contrast, threshold, alpha)
    low, high = bounds(contrast, alpha)
    return Decided(verdict, log_e, float(contrast.value), low, high)


def verdict_on(contrast: Contrast, threshold: float, alpha: float) -> tuple[Verdict, float]:
    """Return the verdict on `figure >= threshold` after all documents, and the log e-value."""
    over, under = log_wealth(contrast.scores(quantised_fraction(threshold)))
    needed = math.log(1 / alpha)
    if over[-1] >= needed:
        return Verdict.HOLDS, float(over[-1])
    verdict = Verdict.REFUTED if under[-1] >= needed else Verdict.UNDECIDED
    return verdict, float(over[-1])


def confirmed(decisions: Sequence[Decided | None], level: float = LEVEL) -> list[bool]:
    """Return which proposals hold and are discoveries of e-BH over all of them at `level`.

    Those that do not hold, or have no decision, count with an e-value of 0. An e-value that is
    lowered stays one, but a part of the discoveries need not have their false discovery rate.
    """
    logs = [
        each.log_e if each is not None and each.verdict is Verdict.HOLDS else -math.inf
        for each in decisions
    ]
    return e_bh(logs, level)
