"""Fixed-point figures: integers that count quanta of 2**-30.

Integer sums do not depend on the order of documents, so merges are exact and ties are well-defined.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]

QUANTA = 2**30
"""The number of quanta in 1."""


def quantise(figures: npt.ArrayLike) -> Int64s:
    """Round figures to quanta of 2**-30; the result has the same shape, dtype int64.

    Figures must be finite and below 2**32 in absolute value; this is not checked.

    >>> quantise([0.5, 1.0]).tolist() == [QUANTA // 2, QUANTA]
    True
    """
    return np.rint(np.asarray(figures, dtype=np.float64) * QUANTA).astype(np.int64)


def quantised_fraction(number: float | Fraction) -> Fraction:
    """Round a threshold to quanta, as an exact fraction.

    Thresholds are rounded like figures, so that figures that are 0.4 everywhere tie with 0.4.

    >>> quantised_fraction(0.25)
    Fraction(1, 4)
    """
    return Fraction(round(Fraction(number) * QUANTA), QUANTA)
