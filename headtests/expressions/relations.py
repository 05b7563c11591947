"""Relations: conditions on a query and a key together.

The nodes, their public names, and the decorator that makes a relation of a user's function.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headtests.errors import ExpressionError
from headtests.expressions.nodes import Expression


@dataclass(frozen=True, slots=True, repr=False)
class First(Expression):
    """The key is position 0."""

    @property
    def english(self) -> str:
        """The position in words."""
        return "at position 0"

    def __repr__(self) -> str:
        return "ht.first"


@dataclass(frozen=True, slots=True, repr=False)
class Offset(Expression):
    """The key is at the query's position plus a distance."""

    distance: int

    @property
    def english(self) -> str:
        """The distance in words."""
        if self.distance == 0:
            return "at the query's own position"
        side = "before" if self.distance < 0 else "after"
        count = abs(self.distance)
        positions = "one position" if count == 1 else f"{count} positions"
        return f"{positions} {side} the query"

    def __repr__(self) -> str:
        named = {-1: "ht.previous", 0: "ht.current"}
        return named.get(self.distance, f"ht.offset({self.distance})")


@dataclass(frozen=True, slots=True, repr=False)
class Duplicate(Expression):
    """The key is an earlier occurrence of the query's token."""

    @property
    def english(self) -> str:
        """The relation in words."""
        return "that are earlier occurrences of the query's token"

    def __repr__(self) -> str:
        return "ht.duplicate"


@dataclass(frozen=True, slots=True, repr=False)
class Induction(Expression):
    """The key follows an earlier occurrence of the query's token: any, or the last."""

    last_only: bool = False

    @property
    def latest(self) -> "Induction":
        """The key that follows the last earlier occurrence of the query's token."""
        return Induction(last_only=True)

    @property
    def english(self) -> str:
        """The relation in words."""
        which = "the last" if self.last_only else "an"
        return f"that follow {which} earlier occurrence of the query's token"

    def __repr__(self) -> str:
        return "ht.induction.latest" if self.last_only else "ht.induction"


@dataclass(frozen=True, slots=True, repr=False)
class CustomRelation(Expression):
    """A relation that a user's function computes from a document's tokens."""

    function: Callable[[Any], Any]

    @property
    def name(self) -> str:
        """The function's name."""
        return str(getattr(self.function, "__name__", repr(self.function)))

    @property
    def english(self) -> str:
        """The function's name, as a relation."""
        return f"in the relation {self.name}"

    def __repr__(self) -> str:
        return self.name


first = First()
"""The key is position 0; the only relation that includes it under `suppress_first_token`."""
previous = Offset(-1)
"""The key is the token before the query."""
current = Offset(0)
"""The key is the query itself."""
duplicate = Duplicate()
"""The key is an earlier occurrence of the query's token."""
induction = Induction()
"""The key follows an earlier occurrence of the query's token; `.latest` takes the last one only."""


def offset(distance: int) -> Offset:
    """Return the relation that the key is at the query's position plus a distance.

    Negative distances are before the query. Raises `ExpressionError` for anything but a whole
    number.

    >>> offset(-1)
    ht.previous
    """
    if not isinstance(distance, int) or isinstance(distance, bool):
        raise ExpressionError(
            f"expected a whole number in ht.offset(...) but found {distance!r} "
            f"({type(distance).__name__}). ht.offset(-2) is the token two before the query."
        )
    return Offset(distance)


def relation(function: Callable[[Any], Any]) -> CustomRelation:
    """Make a relation of a function from a document to a boolean array `[query, key]`.

    The document has `tokens` (strings), `ids` and `special` (arrays) and a length. The function
    is called each time a document is measured, so its result must depend on the document alone.
    Position 0 and keys that a row may not attend to are then excluded. Raises `ExpressionError`
    for anything that is not callable.

    >>> @relation
    ... def same_length(document):
    ...     return [[len(a) == len(b) for a in document.tokens] for b in document.tokens]
    >>> same_length & ~first
    same_length & ~ht.first
    """
    if not callable(function):
        raise ExpressionError(
            f"expected a function under @ht.relation but found {function!r} "
            f"({type(function).__name__}). It takes a document and returns a [query, key] array."
        )
    return CustomRelation(function)
