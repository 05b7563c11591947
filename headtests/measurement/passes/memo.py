"""A least-recently-used cache of computed values, limited by their size in bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """Values by key; beyond `limit` bytes, the least recently used values are dropped."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = limit
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return the cached value of a key, or call `make` and cache its result.

        `size` returns the bytes of a value. A value larger than the limit is not cached.
        """
        if key in self._values:
            self._values.move_to_end(key)
            # Each key is always used with the same `make`, so the type is right.
            cached: T = self._values[key][0]
            return cached
        value = make()
        nbytes = size(value)
        if nbytes > self._limit:
            return value
        self._values[key] = value, nbytes
        self._free -= nbytes
        while self._free < 0:
            _, (_, freed) = self._values.popitem(last=False)
            self._free += freed
        return value

    def clear(self) -> None:
        """Drop all values."""
        self._values.clear()
        self._free = self._limit
