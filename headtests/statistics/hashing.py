"""A seeded 64-bit hash of integers, for reproducible orders and samples.

The result is the same on every machine. What is hashed, and why, is up to the caller.
"""

import numpy as np
import numpy.typing as npt

UInt64s = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def keyed_hash(seed: int, *fields: npt.ArrayLike) -> UInt64s:
    """Return a 64-bit hash of each tuple of integers, keyed by the seed.

    The fields are integer arrays that broadcast together; the result has their common shape.
    Each field is mixed in by the finaliser of SplitMix64 (Steele, Lea and Flood 2014, "Fast
    splittable pseudorandom number generators", section 4). The finaliser is a bijection on 64-bit
    integers, so tuples that differ in one field only never collide.

    >>> keyed_hash(0, [1, 2, 3]).tolist() == keyed_hash(0, [1, 2, 3]).tolist()
    True
    >>> bool(keyed_hash(0, 1) == keyed_hash(1, 1))
    False
    """
    state = np.asarray(np.uint64(seed % 2**64))
    with np.errstate(over="ignore"):
        state = _finalise(state + _GOLDEN)
        for field in fields:
            values = np.asarray(field).astype(np.int64).view(np.uint64)
            state = _finalise((state ^ values) + _GOLDEN)
    return state


def _finalise(values: UInt64s) -> UInt64s:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))
