"""What the evidence says of a claim: it holds, is refuted, or stays undecided.

Figures of documents in, decisions out; nothing here knows how figures were measured.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from headtests.statistics import QUANTA, Contrast, bounds, quantised_fraction, require_alpha, settle
from headtests.wording import Operator

_TIES_ARE_OVER: dict[Operator, bool] = {">=": True, ">": False, "<=": False, "<": True}
"""Whether a figure that is the threshold lies, for this comparison, with those over it."""
CLAIMS_OVER: dict[Operator, bool] = {">=": True, ">": True, "<=": False, "<": False}
"""Whether a comparison claims that the figure lies over the threshold."""


class Verdict(StrEnum):
    """What became of a claim."""

    HOLDS = "holds"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided of a claim, and since when."""

    verdict: Verdict
    """What became of the claim."""
    units: int
    """Documents or texts of the shortest prefix that decided; all at hand where undecided."""
    log_e: float
    """The natural logarithm of the e-value for the claim after that prefix, not of its largest.

    Infinite where nothing left could change that the claim holds, or that it is refuted; minus
    infinity, too, where two ratios were not told apart.
    """
    log_e_against: float | None
    """The same of the e-value against the claim, were it true.

    Infinite where nothing left could change that the claim is refuted, minus infinity where it
    holds so; None where two ratios were not told apart against it, which says nothing.
    """
    exact: bool
    """Whether it was decided because nothing left could change the answer."""


def decide(contrast: Contrast, operator: Operator, threshold: Fraction, alpha: float) -> Decision:
    """Return what the documents at hand, in their order, decide of a figure and a threshold.

    A claim is decided falsely with a probability of at most `alpha`, however many documents are
    added and however often it is asked; more documents never turn a verdict. Figures closer to the
    threshold than half a quantum tie with it. Raises `ValueError` for an alpha outside (0, 0.5).
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
    """Return what two figures decide that no score of one document compares, as of two ratios.

    The claim is `left` against `factor * right + offset`, on the same documents. Each figure has an
    interval at half of alpha a side; the claim is decided by the first prefix whose intervals lie
    apart, and exactly by the whole population. Its e-value is 1 / alpha where intervals made it
    hold, and 0 where they did not, so that it is 1 at most on average; that against it likewise,
    where they refuted it. Raises `ValueError` for an alpha outside (0, 0.5), a factor that is not
    over 0, and figures of different documents.
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
        tied = abs(difference) <= Fraction(1, 2 * QUANTA)
        over = _TIES_ARE_OVER[operator] if tied else difference > 0
        return _exact(over == CLAIMS_OVER[operator], units)
    # Intervals only shrink, so that the prefixes that decide are all from some length on.
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
    """Return whether a comparison of two figures that are known holds; ties to half a quantum.

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
