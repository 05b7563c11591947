"""Validation of what sketches take in: multiples, and states written by `to_dict`."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from headtests.errors import HeadtestsError, ObservationError, RecordError
from headtests.statistics.quanta import Float64s

LARGEST_MULTIPLE = 2.0**32
"""Every multiple is below this: a multiple is at most the number of keys of its row."""


def checked_multiples(multiples: npt.ArrayLike) -> Float64s:
    """Return multiples as float64, of the same shape.

    Raises `ObservationError` for one outside [0, `LARGEST_MULTIPLE`), and for NaN.
    """
    values = np.asarray(multiples, dtype=np.float64)
    # With a NaN, both extremes are NaN, and every comparison is false.
    if values.size and not (values.min() >= 0 and values.max() < LARGEST_MULTIPLE):
        wrong = values[~((values >= 0) & (values < LARGEST_MULTIPLE))]
        raise ObservationError(
            f"{wrong.size} of {values.size} multiples are out of range, the first is {wrong[0]}: "
            f"expected numbers from 0 to {LARGEST_MULTIPLE:.0f}. Look for NaN in the attention "
            "rows; a wider dtype often cures it."
        )
    return values


def checked_extremes(minimum: float, maximum: float) -> tuple[float, float]:
    """Return the least and the greatest multiple as floats.

    Raises `ObservationError` unless `0 <= minimum <= maximum < LARGEST_MULTIPLE`.

    >>> checked_extremes(-0.0, 2)
    (0.0, 2.0)
    """
    # Comparisons with NaN are false.
    if not 0 <= minimum <= maximum < LARGEST_MULTIPLE:
        raise ObservationError(
            f"multiples cannot lie between {minimum} and {maximum}: expected the least and the "
            f"greatest of them, from 0 to {LARGEST_MULTIPLE:.0f}. Look for NaN in the attention "
            "rows; a wider dtype often cures it."
        )
    # Adding 0.0 turns -0.0 into 0.0; which of the two is the minimum depends on their order.
    return 0.0 + float(minimum), 0.0 + float(maximum)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn errors of the block into a `RecordError` that names `what` was read."""
    try:
        yield
    except (HeadtestsError, KeyError, IndexError, TypeError, ValueError) as error:
        raise RecordError(
            f"cannot read {what} from a record ({type(error).__name__}: {error}). "
            "Expected what to_dict wrote; make the record anew."
        ) from error
