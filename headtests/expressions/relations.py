"""Relations: conditions on a query and a key together.

The nodes, their public names, and the decorator that makes a relation of a user's function.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from headtests.errors import ExpressionError
from headtests.expressions.nodes import Expression, Scope

Which = Literal["any", "latest", "earliest"]
"""Which occurrences count."""


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
class Occurrence(Expression):
    """The key is, or follows, an occurrence of a token: any, the latest or the earliest."""

    which: Which = "any"

    @property
    def latest(self) -> Self:
        """The same relation to the latest occurrence alone; raises after `earliest`."""
        return self._only("latest")

    @property
    def earliest(self) -> Self:
        """The same relation to the earliest occurrence alone; raises after `latest`."""
        return self._only("earliest")

    def _only(self, which: Which) -> Self:
        if self.which not in ("any", which):
            raise ExpressionError(
                f"expected one of .latest and .earliest but found {self!r}.{which}. Write "
                f"{replace(self, which=which)!r}."
            )
        return replace(self, which=which)

    def _written(self, source: str) -> str:
        return source if self.which == "any" else f"{source}.{self.which}"

    def _one(self, one: str) -> str:
        return {"any": one, "latest": "the last", "earliest": "the first"}[self.which]


@dataclass(frozen=True, slots=True, repr=False)
class Duplicate(Occurrence):
    """The key is an earlier occurrence of the query's token."""

    @property
    def english(self) -> str:
        """The relation in words."""
        if self.which == "any":
            return "that are earlier occurrences of the query's token"
        return f"that are {self._one('')} earlier occurrence of the query's token"

    def __repr__(self) -> str:
        return self._written("ht.duplicate")


@dataclass(frozen=True, slots=True, repr=False)
class Induction(Occurrence):
    """The key follows an earlier occurrence of the query's token, or of the tokens up to it."""

    length: int = 1
    """The number of tokens up to the query that must be equal."""

    def prefix(self, length: int) -> "Induction":
        """Return the relation whose key follows an earlier occurrence of the last `length` tokens.

        The tokens that end at the query equal those before the key, and none of them is special.
        `ht.induction.prefix(1)` is `ht.induction`. Raises `ExpressionError` for anything but a
        whole number of 1 or more, and after another `prefix`, `latest` or `earliest`.

        >>> induction.prefix(2).latest
        ht.induction.prefix(2).latest
        """
        found = require_count(length, "ht.induction.prefix", "ht.induction.prefix(2)")
        if self != Induction():
            raise ExpressionError(
                f"expected .prefix({found}) right after ht.induction but found "
                f"{self!r}.prefix({found}). Write {replace(self, length=found)!r}."
            )
        return replace(self, length=found)

    @property
    def english(self) -> str:
        """The relation in words."""
        what = "query's token" if self.length == 1 else f"{self.length} tokens up to the query"
        return f"that follow {self._one('an')} earlier occurrence of the {what}"

    def __repr__(self) -> str:
        prefix = "" if self.length == 1 else f".prefix({self.length})"
        return self._written(f"ht.induction{prefix}")


@dataclass(frozen=True, slots=True, repr=False)
class NextToken(Occurrence):
    """The key, at or before the query, is an occurrence of the token that follows the query."""

    reads_ahead: ClassVar[bool] = True

    @property
    def english(self) -> str:
        """The relation in words."""
        if self.which == "any":
            return "that are occurrences of the token after the query"
        return f"that are {self._one('')} occurrence of the token after the query"

    def __repr__(self) -> str:
        return self._written("ht.next_token")


@dataclass(frozen=True, slots=True, repr=False)
class ByFrequency(Expression):
    """The key is one of the rarest, or of the most frequent, tokens of its document."""

    count: int
    is_rarest: bool

    reads_ahead: ClassVar[bool] = True

    @property
    def scope(self) -> Scope:
        """The key: the query plays no part."""
        return "key"

    @property
    def english(self) -> str:
        """The relation in words."""
        kind = "rarest" if self.is_rarest else "most frequent"
        if self.count == 1:
            return f"that are the document's {kind} token"
        return f"that are among the document's {self.count} {kind} tokens"

    def __repr__(self) -> str:
        return f"ht.{'rarest' if self.is_rarest else 'most_frequent'}({self.count})"


@dataclass(frozen=True, slots=True, repr=False)
class CustomRelation(Expression):
    """A relation that a function computes from a document's tokens."""

    function: Callable[[Any], Any]
    of: Literal["key", "pair"] = "pair"
    """What it depends on: the function returns an array `[key]` or `[query, key]`."""

    reads_ahead: ClassVar[bool] = True

    @property
    def scope(self) -> Scope:
        """The key alone, or both positions."""
        return self.of

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
"""The key is an earlier occurrence of the query's token; `.latest` and `.earliest` take one."""
induction = Induction()
"""The key follows an earlier occurrence of the query's token; `.latest` and `.earliest` take one,
and `.prefix(k)` compares the `k` tokens up to the query."""
next_token = NextToken()
"""The key, at or before the query, is the token that follows the query in the document."""


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


def rarest(count: int) -> ByFrequency:
    """Return the relation that the key is one of the `count` rarest tokens of its document.

    Rare by the number of occurrences in all documents of the corpus that are read, for single
    prompts too (Voita et al. 2019, "Analyzing Multi-Head Self-Attention", arXiv 1905.09418, section
    5.4). Ties go to the earlier position; special tokens never count. Raises `ExpressionError` for
    anything but a whole number of 1 or more.

    >>> rarest(2)
    ht.rarest(2)
    """
    return ByFrequency(require_count(count, "ht.rarest", "ht.rarest(1)"), is_rarest=True)


def most_frequent(count: int) -> ByFrequency:
    """Return the relation that the key is one of the `count` most frequent tokens of its document.

    As for `rarest`, by the number of occurrences in the corpus.

    >>> most_frequent(1)
    ht.most_frequent(1)
    """
    found = require_count(count, "ht.most_frequent", "ht.most_frequent(1)")
    return ByFrequency(found, is_rarest=False)


def require_count(number: object, call: str, example: str) -> int:
    """Return a whole number of 1 or more; raises `ExpressionError` for anything else."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ExpressionError(
            f"expected a whole number of 1 or more in {call}(...) but found {number!r} "
            f"({type(number).__name__}). Write {example}, for example."
        )
    return number


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


def key_relation(function: Callable[[Any], Any]) -> CustomRelation:
    """Make a condition on keys of a function from a document to a boolean array `[key]`.

    Its `scope` is "key", so that it costs as little as `key.matches(...)`. Otherwise as `relation`.
    """
    return CustomRelation(function, of="key")
