"""Conditions on one position: the key or the query.

The nodes, and the two sides `key` and `query` that make them. Whether a text is one token depends
on a tokenizer, so it is checked when a claim is measured and not here.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from headtests.errors import ExpressionError
from headtests.expressions.nodes import Expression, Scope, SideName, english_part, leaves

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
"""The comparisons of a position, by their Python operators."""
_COMPARISONS_IN_ENGLISH = {
    "<": "below",
    "<=": "at most",
    ">": "above",
    ">=": "at least",
    "==": "exactly",
    "!=": "not",
}


@dataclass(frozen=True, slots=True, repr=False)
class TokenCondition(Expression):
    """A condition on the token or the position of one side."""

    side: SideName

    @property
    def scope(self) -> Scope:
        """The side that the condition is on."""
        return self.side


@dataclass(frozen=True, slots=True, repr=False)
class Matches(TokenCondition):
    """The token's text matches a regular expression somewhere."""

    pattern: str

    @property
    def english(self) -> str:
        """The pattern between slashes."""
        return f"{_owner(self.side)} matches /{_visible(self.pattern)}/"

    def __repr__(self) -> str:
        return f"{self.side}.matches({self.pattern!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Is(TokenCondition):
    """The token is one of these."""

    texts: tuple[str, ...]

    @property
    def english(self) -> str:
        """The tokens in quotes."""
        return f"{_owner(self.side)} is {' or '.join(_quoted(text) for text in self.texts)}"

    def __repr__(self) -> str:
        return f"{self.side}.is_({', '.join(_quoted(text) for text in self.texts)})"


@dataclass(frozen=True, slots=True, repr=False)
class Repeats(TokenCondition):
    """The token occurred earlier in the document; special tokens never did."""

    @property
    def english(self) -> str:
        """The occurrence in words."""
        return f"{_owner(self.side)} occurred earlier"

    def __repr__(self) -> str:
        return f"{self.side}.repeats"


@dataclass(frozen=True, slots=True, repr=False)
class Special(TokenCondition):
    """The token is a special token of the tokenizer, such as BOS or [SEP]."""

    @property
    def english(self) -> str:
        """The kind of token in words."""
        return f"{_owner(self.side)} is special"

    def __repr__(self) -> str:
        return f"{self.side}.special"


@dataclass(frozen=True, slots=True, repr=False)
class Position(TokenCondition):
    """A comparison of the position, counted from 0 at the document's first token."""

    comparison: str
    number: int

    binds_loosely: ClassVar[bool] = True

    @property
    def english(self) -> str:
        """The comparison in words."""
        whose = "whose position" if self.side == "key" else "whose query position"
        return f"{whose} is {_COMPARISONS_IN_ENGLISH[self.comparison]} {self.number}"

    def __repr__(self) -> str:
        return f"{self.side}.position {self.comparison} {self.number}"


@dataclass(frozen=True, slots=True, repr=False)
class Follows(TokenCondition):
    """The position just before satisfies a condition; position 0 has none before it."""

    condition: Expression

    @property
    def inner(self) -> tuple[Expression, ...]:
        """The condition on the position before."""
        return (self.condition,)

    @property
    def english(self) -> str:
        """The condition in words."""
        clause = f"right after one {english_part(self.condition)}"
        return clause if self.side == "key" else f"whose query is {clause}"

    def __repr__(self) -> str:
        return f"{self.side}.follows({self.condition!r})"


@dataclass(frozen=True, slots=True, repr=False)
class EveryRow(Expression):
    """Every row, including rows in which the relation has no attendable key."""

    @property
    def scope(self) -> Scope:
        """The query: the condition is on rows."""
        return "query"

    @property
    def english(self) -> str:
        """The inclusion in words."""
        return "with or without such a key"

    def __repr__(self) -> str:
        return "ht.every_row"


class PositionOf:
    """The position of one side, to compare with a whole number: `key.position < 4`."""

    __slots__ = ("_side",)

    def __init__(self, side: SideName) -> None:
        self._side = side

    def _compared(self, comparison: str, number: object) -> Position:
        if not isinstance(number, int) or isinstance(number, bool):
            raise ExpressionError(
                f"expected a whole number in {self._side}.position {comparison} ... but found "
                f"{number!r} ({type(number).__name__}). Positions count from 0 at the document's "
                "first token; for a distance between query and key use ht.offset(n)."
            )
        return Position(self._side, comparison, number)

    def __lt__(self, number: int) -> Position:
        return self._compared("<", number)

    def __le__(self, number: int) -> Position:
        return self._compared("<=", number)

    def __gt__(self, number: int) -> Position:
        return self._compared(">", number)

    def __ge__(self, number: int) -> Position:
        return self._compared(">=", number)

    # As for arrays, a comparison returns a node and not a truth value.
    def __eq__(self, number: object) -> Position:  # type: ignore[override]
        return self._compared("==", number)

    def __ne__(self, number: object) -> Position:  # type: ignore[override]
        return self._compared("!=", number)

    __hash__ = None  # type: ignore[assignment]  # equality makes a node, so it cannot be a key

    def __repr__(self) -> str:
        return f"{self._side}.position"


@dataclass(frozen=True, slots=True, repr=False)
class Side:
    """One side of a pair, `key` or `query`; its methods make token conditions."""

    name: SideName

    def matches(self, pattern: str) -> Matches:
        """Return the condition that the token's text matches a regular expression somewhere.

        It is `re.search` on the text of one token, with its leading space. Raises
        `ExpressionError` for an invalid pattern.

        >>> key.matches("^ ?[A-Z]")
        key.matches('^ ?[A-Z]')
        """
        if not isinstance(pattern, str):
            raise ExpressionError(
                f"expected a regular expression in {self.name}.matches(...) but found {pattern!r} "
                f"({type(pattern).__name__}). Give it as a string: {self.name}.matches(r'^ [A-Z]')."
            )
        try:
            re.compile(pattern)
        except re.error as error:
            raise ExpressionError(
                f"{self.name}.matches({pattern!r}) is not a regular expression: {error}. Escape "
                "special characters with a backslash, or use re.escape."
            ) from error
        return Matches(self.name, pattern)

    def is_(self, *texts: str) -> Is:
        """Return the condition that the token is one of these; each must be exactly one token.

        The tokenizer checks this when the claim is measured. Raises `ExpressionError` without a
        text, for an empty text, and for anything that is not a string.

        >>> key.is_(" the", " a")
        key.is_(" the", " a")
        """
        if not texts:
            raise ExpressionError(
                f'{self.name}.is_() names no token. Give at least one: {self.name}.is_(" the").'
            )
        for text in texts:
            if not isinstance(text, str) or not text:
                raise ExpressionError(
                    f"expected the text of a token in {self.name}.is_(...) but found {text!r} "
                    f"({type(text).__name__}). Give each as a string that is not empty."
                )
        return Is(self.name, tuple(dict.fromkeys(texts)))

    def follows(self, condition: Expression) -> Follows:
        """Return the condition that the position just before satisfies a condition.

        The condition is on one position of the same side, and may combine several. Position 0 has
        no position before it. Raises `ExpressionError` for anything else.

        >>> key.follows(key.is_(",") & ~key.repeats)
        key.follows(key.is_(",") & ~key.repeats)
        """
        remedy = f'Give one such as {self.name}.follows({self.name}.is_(",")).'
        if not isinstance(condition, Expression):
            raise ExpressionError(
                f"expected a condition in {self.name}.follows(...) but found {condition!r} "
                f"({type(condition).__name__}). {remedy}"
            )
        if condition.scope != self.name or every_row in leaves(condition):
            raise ExpressionError(
                f"expected a condition on the {self.name} alone in {self.name}.follows(...) but "
                f"found {condition!r}. {remedy}"
            )
        return Follows(self.name, condition)

    @property
    def repeats(self) -> Repeats:
        """The condition that the token occurred earlier in the document."""
        return Repeats(self.name)

    @property
    def special(self) -> Special:
        """The condition that the token is a special token of the tokenizer."""
        return Special(self.name)

    @property
    def position(self) -> PositionOf:
        """The token's position, to compare with a whole number."""
        return PositionOf(self.name)

    def __repr__(self) -> str:
        return self.name


key = Side("key")
"""The key: the position that is attended to."""
query = Side("query")
"""The query: the position that attends."""
every_row = EveryRow()
"""For `when=`: include rows in which the relation has no attendable key."""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{_visible(escaped)}"'


def _visible(text: str) -> str:
    """Return a text with Python's escapes for characters that are not printable."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _owner(side: SideName) -> str:
    return "whose token" if side == "key" else "whose query token"
