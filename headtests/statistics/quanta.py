"""Figures as whole multiples of 2**-30.

So that sums do not depend on the order of documents, merges are exact and ties are clean.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]

QUANTA = 2**30
"""How many quanta make 1."""


def quantise(figures: npt.ArrayLike) -> Int64s:
    """Return figures as the nearest whole number of quanta of 2**-30.

    The result has the shape of the figures, which must be finite and below 2**32 in size.

    >>> quantise([0.5, 1.0]).tolist() == [QUANTA // 2, QUANTA]
    True
    """
    return np.rint(np.asarray(figures, dtype=np.float64) * QUANTA).astype(np.int64)


def quantised_fraction(number: float | Fraction) -> Fraction:
    """Return a number as the fraction that documents' figures are compared with.

    A threshold goes through the same rounding as the figures, so that a head that gives exactly
    0.4 everywhere ties with 0.4.

    >>> quantised_fraction(0.25)
    Fraction(1, 4)
    """
    return Fraction(round(Fraction(number) * QUANTA), QUANTA)
