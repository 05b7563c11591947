"""What many claims together are worth: a bound on false decisions, and false discoveries."""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction


def union_bound(alphas: Iterable[float]) -> float:
    """Return the most that the chance of any false decision can be, from 0 to 1.

    `alphas` are the chances of each claim, however the claims depend on each other.

    >>> union_bound([0.001] * 25)
    0.025
    """
    return min(1.0, math.fsum(alphas))


def e_bh(log_e_values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Return of each claim whether it is a discovery at a rate of false discoveries of `level`.

    Natural logarithms of e-values, infinite ones included, however they depend on each other. Wang
    and Ramdas 2022, "False discovery rate control with e-values": of `n` claims those of the `k`
    largest, for the largest `k` of which each is at least `n / (k * level)`. Raises `ValueError`
    for a level outside (0, 1) and for what is no number.

    >>> e_bh([5.0, 3.0, 0.0])
    [True, False, False]
    """
    if not 0 < level < 1:
        raise ValueError(f"expected a level over 0 and under 1 but found {level!r}.")
    if any(math.isnan(value) for value in log_e_values):
        raise ValueError("expected the logarithms of e-values but found one that is no number.")
    claims = len(log_e_values)
    # The decimal that was written, so that an e-value of 20 reaches 1 / 0.05 whatever is rounded.
    share = Fraction(str(level))
    least = math.inf
    for count, value in enumerate(sorted(log_e_values, reverse=True), start=1):
        if value >= math.log(claims / (count * share)):
            least = value
    return [value >= least for value in log_e_values]
