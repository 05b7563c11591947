"""Earlier occurrences of tokens, or of runs of tokens, in the documents of a batch.

From ids alone. Which relations they make is `masks`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Occurrences:
    """The earlier occurrences of what each position of a batch holds."""

    ids: Int32s
    """A number of what each position holds, `[batch, length]`; -1 for what never counts."""

    @cached_property
    def earlier(self) -> Bools:
        """Where the key is an earlier occurrence of the query's, `[batch, query, key]`."""
        positions = np.arange(self.ids.shape[1], dtype=np.int32)
        same: Bools = self.ids[:, :, None] == self.ids[:, None, :]
        same &= (self.ids >= 0)[:, :, None]
        same &= positions[None, :] < positions[:, None]
        return same

    @cached_property
    def last(self) -> Int32s:
        """The last earlier occurrence of each position's, `[batch, length]`; -1 for none."""
        return self._scattered(self._before)

    @cached_property
    def first(self) -> Int32s:
        """The first earlier occurrence of each position's, `[batch, length]`; -1 for none."""
        places = np.arange(self.ids.shape[1], dtype=np.int32)
        begins = np.where(self._before < 0, places, 0)
        earliest = np.take_along_axis(self._order, np.maximum.accumulate(begins, axis=1), axis=1)
        return self._scattered(np.where(self._before < 0, np.int32(-1), earliest))

    @cached_property
    def _order(self) -> Int32s:
        """The positions by id; equal ids are neighbours, in the order of their positions."""
        return np.argsort(self.ids, axis=1, kind="stable").astype(np.int32)

    @cached_property
    def _before(self) -> Int32s:
        """For each of `_order`, the occurrence before it; -1 for none."""
        ids = np.take_along_axis(self.ids, self._order, axis=1)
        before = np.full_like(self._order, -1)
        before[:, 1:] = np.where(ids[:, 1:] == ids[:, :-1], self._order[:, :-1], -1)
        return before

    def _scattered(self, ordered: Int32s) -> Int32s:
        """Return values of `_order` at their positions; -1 for what never counts."""
        values = np.empty_like(self._order)
        np.put_along_axis(values, self._order, ordered, axis=1)
        return np.where(self.ids < 0, np.int32(-1), values)

    def runs(self, length: int) -> "Occurrences":
        """Return the occurrences of the `length` values that end at each position.

        A run with a value that never counts, or that would begin before the document, never
        counts.
        """
        runs, done = self.ids, 1
        while done < length and (runs >= 0).any():
            # Runs of twice the length, or of what is left, are pairs of overlapping shorter ones.
            step = min(done, length - done)
            joined = np.full_like(runs, -1)
            left, right = runs[:, :-step].astype(np.int64), runs[:, step:].astype(np.int64)
            counts = (left >= 0) & (right >= 0)
            pairs = left[counts] << 32 | right[counts]
            joined[:, step:][counts] = np.unique(pairs, return_inverse=True)[1].reshape(-1)
            runs, done = joined, done + step
        return Occurrences(runs)
