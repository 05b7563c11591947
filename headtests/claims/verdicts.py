"""Verdicts: whether a claim holds, is refuted, or stays undecided.

Figures of documents in, decisions out; nothing here measures.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from headtests.statistics import QUANTA, Contrast, bounds, quantised_fraction, require_alpha, settle
from headtests.wording import Operator

_TIES_ARE_OVER: dict[Operator, bool] = {">=": True, ">": False, "<=": False, "<": True}
"""Whether a figure equal to the threshold counts as over it."""
CLAIMS_OVER: dict[Operator, bool] = {">=": True, ">": True, "<=": False, "<": False}
"""Whether a comparison claims that the figure is over the threshold."""


class Verdict(StrEnum):
    """The result of a claim."""

    HOLDS = "holds"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, its evidence and the prefix of documents that decided."""

    verdict: Verdict
    """The verdict."""
    units: int
    """Documents or texts of the shortest prefix that decided; all of them if undecided."""
    log_e: float
    """Natural logarithm of the e-value for the claim, after that prefix (not its maximum).

    Plus or minus infinity if no remaining document could change that the claim holds, or is
    refuted. Minus infinity also if the intervals of two ratios did not make the claim hold.
    """
    log_e_against: float | None
    """Natural logarithm of the e-value against the claim, after that prefix.

    Plus or minus infinity if no remaining document could change that the claim is refuted, or
    holds. None if the intervals of two ratios did not refute the claim: there is no evidence.
    """
    exact: bool
    """Whether it was decided because no remaining document could change the verdict."""


def decide(contrast: Contrast, operator: Operator, threshold: Fraction, alpha: float) -> Decision:
    """Return the decision on a figure and a threshold, from documents in their order.

    A claim is decided falsely with a probability of at most `alpha`, however many documents are
    added and however often it is asked; more documents never reverse a verdict. Figures closer to
    the threshold than half a quantum tie with it. The whole population leaves a claim undecided
    where the figure's divisor is so small that rounding hides on which side it lies. Raises
    `ValueError` for an alpha outside (0, 0.5).
    """
    settled = settle(contrast.scores(threshold), alpha, _TIES_ARE_OVER[operator])
    claims_over = CLAIMS_OVER[operator]
    if settled.exact:
        return _exact(settled.over == claims_over, settled.units)
    sides = (settled.log_over, settled.log_under)
    log_e, against = sides if claims_over else sides[::-1]
    if settled.over is None:
        return Decision(Verdict.UNDECIDED, settled.units, log_e, against, exact=False)
    verdict = _verdict(settled.over == claims_over)
    return Decision(verdict, settled.units, log_e, against, exact=False)


def decide_apart(
    left: Contrast,
    operator: Operator,
    right: Contrast,
    factor: Fraction,
    offset: Fraction,
    alpha: float,
) -> Decision:
    """Return the decision on two figures that have no score per document, such as two ratios.

    The claim compares `left` with `factor * right + offset` on the same documents. Each figure has
    an interval whose bounds each hold at alpha / 2. The shortest prefix with disjoint intervals
    decides, and the whole population decides exactly, unless rounding hides it. The e-value is
    1 / alpha if the intervals made the claim hold and else 0, so its expectation is at most 1;
    likewise the e-value against the claim. Raises `ValueError` for an alpha outside (0, 0.5), a
    factor that is not over 0, and figures of different documents.
    """
    require_alpha(alpha)
    if factor <= 0:
        raise ValueError(f"expected a factor over 0 but found {factor}.")
    if len(left) != len(right) or left.population != right.population:
        raise ValueError(
            f"expected figures of the same documents but found {len(left)} of {left.population} "
            f"and {len(right)} of {right.population}."
        )
    units = len(left)
    whole = units == left.population

    def apart(prefix: int) -> Verdict:
        return _apart(
            bounds(left.first(prefix), alpha / 2),
            operator,
            bounds(right.first(prefix), alpha / 2),
            (float(factor), float(offset)),
        )

    last = units - 1 if whole else units
    verdict = apart(last)
    if verdict is Verdict.UNDECIDED:
        if not whole:
            return Decision(verdict, units, -math.inf, None, exact=False)
        difference = left.value - factor * right.value - offset
        hidden = left.rounding + float(factor) * right.rounding
        if hidden and abs(difference) <= hidden:
            return Decision(Verdict.UNDECIDED, units, -math.inf, None, exact=False)
        tied = abs(difference) <= Fraction(1, 2 * QUANTA)
        over = _TIES_ARE_OVER[operator] if tied else difference > 0
        return _exact(over == CLAIMS_OVER[operator], units)
    # Intervals only shrink, so every prefix from some length on decides: bisect for it.
    undecided, decided = 0, last
    while decided - undecided > 1:
        middle = (undecided + decided) // 2
        if apart(middle) is Verdict.UNDECIDED:
            undecided = middle
        else:
            decided = middle
    certain = math.log(1 / alpha)
    if verdict is Verdict.HOLDS:
        return Decision(verdict, decided, certain, None, exact=False)
    return Decision(verdict, decided, -math.inf, certain, exact=False)


def decide_exactly(left: Fraction, operator: Operator, right: Fraction) -> Decision:
    """Return the decision on two known figures; differences below half a quantum are ties.

    >>> decide_exactly(Fraction(3, 4), ">=", Fraction(3, 4)).verdict.value
    'holds'
    """
    difference = quantised_fraction(left) - quantised_fraction(right)
    over = difference > 0 if difference else _TIES_ARE_OVER[operator]
    return _exact(over == CLAIMS_OVER[operator], 0)


def _apart(
    left: tuple[float, float],
    operator: Operator,
    right: tuple[float, float],
    line: tuple[float, float],
) -> Verdict:
    factor, offset = line
    low, high = (factor * end + offset for end in right)
    ties_are_over, claims_over = _TIES_ARE_OVER[operator], CLAIMS_OVER[operator]
    over = left[0] >= high if ties_are_over else left[0] > high
    under = left[1] < low if ties_are_over else left[1] <= low
    if not over and not under:
        return Verdict.UNDECIDED
    return _verdict(over == claims_over)


def _verdict(holds: bool) -> Verdict:
    return Verdict.HOLDS if holds else Verdict.REFUTED


def _exact(holds: bool, units: int) -> Decision:
    log_e = math.inf if holds else -math.inf
    return Decision(_verdict(holds), units, log_e, -log_e, exact=True)
