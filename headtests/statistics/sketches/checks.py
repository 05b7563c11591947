"""What sketches accept: multiples that can be, and states that `to_dict` wrote."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from headtests.errors import HeadtestsError, RecordError

Float64s = npt.NDArray[np.float64]

LARGEST_MULTIPLE = 2.0**32
"""What every multiple is below: a multiple is at most its row's number of keys."""


class ObservationError(HeadtestsError, ValueError):
    """Observations that no sketch can take: not numbers in range, or columns that do not fit."""


def checked_multiples(multiples: npt.ArrayLike) -> Float64s:
    """Return multiples as floats; raises `ObservationError` for one that cannot be."""
    values = np.asarray(multiples, dtype=np.float64)
    # The extremes of an array that holds a NaN are NaN, which no comparison accepts.
    if values.size and not (values.min() >= 0 and values.max() < LARGEST_MULTIPLE):
        wrong = values[~((values >= 0) & (values < LARGEST_MULTIPLE))]
        raise ObservationError(
            f"{wrong.size} of {values.size} multiples cannot be, the first of them {wrong[0]}: "
            f"expected numbers from 0 to {LARGEST_MULTIPLE:.0f}. Look for NaN in the attention "
            "rows; a wider dtype often cures it."
        )
    return values


def checked_extremes(minimum: float, maximum: float) -> tuple[float, float]:
    """Return the least and the greatest multiple; raises `ObservationError` where they cannot be.

    >>> checked_extremes(-0.0, 2)
    (0.0, 2.0)
    """
    # NaN fails every comparison.
    if not 0 <= minimum <= maximum < LARGEST_MULTIPLE:
        raise ObservationError(
            f"multiples cannot lie between {minimum} and {maximum}: expected the least and the "
            f"greatest of them, from 0 to {LARGEST_MULTIPLE:.0f}. Look for NaN in the attention "
            "rows; a wider dtype often cures it."
        )
    # Added to 0.0, since which of 0.0 and -0.0 is the least depends on their order.
    return 0.0 + float(minimum), 0.0 + float(maximum)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Raise whatever goes wrong in the block as a `RecordError` about what was to be read."""
    try:
        yield
    except (HeadtestsError, KeyError, IndexError, TypeError, ValueError) as error:
        raise RecordError(
            f"cannot read {what} from a record ({type(error).__name__}: {error}). "
            "Expected what to_dict wrote; make the record anew."
        ) from error
