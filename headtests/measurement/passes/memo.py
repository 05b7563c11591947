"""Values that were worked out, kept to be asked for again: the latest used, up to a size."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """Values by a key; beyond a number of bytes, those are dropped that were used longest ago."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return the value of a key, made where it is not at hand; `size` is of what was made."""
        if key in self._values:
            self._values.move_to_end(key)
            # A key stands for what one maker makes.
            found: T = self._values[key][0]
            return found
        value = make()
        taken = size(value)
        if taken > self._limit:
            return value
        self._values[key] = value, taken
        self._left -= taken
        while self._left < 0:
            _, (_, dropped) = self._values.popitem(last=False)
            self._left += dropped
        return value

    def clear(self) -> None:
        """Drop everything."""
        self._values.clear()
        self._left = self._limit
