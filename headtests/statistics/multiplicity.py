"""Error rates over many claims: a bound on any false decision, and the false discovery rate."""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction


def union_bound(alphas: Iterable[float]) -> float:
    """Return an upper bound on the probability of any false decision, in [0, 1].

    `alphas` are the false-decision rates of the claims. Boole's inequality: the bound is their
    sum, whatever the dependence between claims.

    >>> union_bound([0.001] * 25)
    0.025
    """
    return min(1.0, math.fsum(alphas))


def e_bh(log_e_values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Return for each claim whether it is a discovery at a false discovery rate of `level`.

    The e-BH procedure, Wang and Ramdas 2022, "False discovery rate control with e-values": of `n`
    claims, the `k` with the largest e-values are discoveries, for the largest `k` such that each
    of these is at least `n / (k * level)`. It is valid whatever the dependence between claims.

    `log_e_values` are natural logarithms and may be infinite. Raises `ValueError` for a level
    outside (0, 1) and for NaN.

    >>> e_bh([5.0, 3.0, 0.0])
    [True, False, False]
    """
    if not 0 < level < 1:
        raise ValueError(f"expected a level over 0 and under 1 but found {level!r}.")
    if any(math.isnan(value) for value in log_e_values):
        raise ValueError("expected the logarithms of e-values but found NaN.")
    claims = len(log_e_values)
    # The decimal as written: an e-value of 20 reaches 1 / 0.05, unaffected by rounding.
    share = Fraction(str(level))
    least = math.inf
    for count, value in enumerate(sorted(log_e_values, reverse=True), start=1):
        if value >= math.log(claims / (count * share)):
            least = value
    return [value >= least for value in log_e_values]
