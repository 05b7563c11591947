"""The base class of expressions and the connectives `&`, `|` and `~`.

Every expression combines with others, prints as its source, and has an English clause. Conditions
on one position are `headtests.expressions.conditions`; conditions on a pair are
`headtests.expressions.relations`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, NoReturn

from headtests.errors import ExpressionError

SideName = Literal["key", "query"]
Scope = Literal["key", "query", "pair"]


class Expression:
    """A condition on a pair of positions; combine with `&`, `|` and `~`."""

    __slots__ = ()

    binds_loosely: ClassVar[bool] = False
    """Whether the source needs parentheses beside `&`, `|` and `~`."""
    reads_ahead: ClassVar[bool] = False
    """Whether it may depend on tokens after the query and the key."""

    @property
    def inner(self) -> tuple["Expression", ...]:
        """The conditions that stand inside it as arguments."""
        return ()

    @property
    def scope(self) -> Scope:
        """What the condition depends on: the key alone, the query alone, or both."""
        return "pair"

    @property
    def english(self) -> str:
        """The condition as a clause that follows "keys" or "rows"."""
        raise NotImplementedError(f"{type(self).__name__} does not define `english`.")

    def __and__(self, other: object) -> "Expression":
        return _joined(And, self, other, "&")

    def __or__(self, other: object) -> "Expression":
        return _joined(Or, self, other, "|")

    def __invert__(self) -> "Expression":
        return Not(self)

    def __rand__(self, other: object) -> NoReturn:
        raise _not_an_expression(other, "&")

    def __ror__(self, other: object) -> NoReturn:
        raise _not_an_expression(other, "|")

    def __bool__(self) -> NoReturn:
        raise ExpressionError(
            f"{self!r} is a condition on pairs of positions and has no truth value. "
            "Combine conditions with &, | and ~ in place of and, or and not, write a range of "
            "positions as (key.position >= 2) & (key.position < 4), and make a claim about a head "
            f"with head.mass({self!r}) >= ..."
        )


def _joined(kind: "type[And] | type[Or]", left: Expression, right: object, sign: str) -> Expression:
    if not isinstance(right, Expression):
        raise _not_an_expression(right, sign)
    parts: list[Expression] = []
    for side in (left, right):
        parts.extend(side.parts if type(side) is kind else (side,))
    return kind(tuple(parts))


def _not_an_expression(found: object, sign: str) -> ExpressionError:
    return ExpressionError(
        f"expected an expression beside {sign} but found {found!r} ({type(found).__name__}). "
        "Comparisons bind more loosely than & and |: put them in parentheses, as in "
        "(key.position < 4) & key.repeats. A function becomes a relation with @ht.relation."
    )


@dataclass(frozen=True, slots=True, repr=False)
class And(Expression):
    """All of the parts hold."""

    parts: tuple[Expression, ...]

    @property
    def scope(self) -> Scope:
        """The common scope of the parts, or both positions."""
        return _common_scope(self.parts)

    @property
    def english(self) -> str:
        """The parts, joined by "and"; negated parts stand last, as exceptions."""
        positive = [part for part in self.parts if not isinstance(part, Not)]
        negated = [part for part in self.parts if isinstance(part, Not)]
        if not positive:
            return " and ".join(part.english for part in negated)
        clause = " and ".join(english_part(part) for part in positive)
        if not negated:
            return clause
        exceptions = ", and ".join(f"not those {english_part(part.part)}" for part in negated)
        return f"{clause}, but {exceptions}"

    def __repr__(self) -> str:
        return " & ".join(_source_part(part, (Or,)) for part in self.parts)


@dataclass(frozen=True, slots=True, repr=False)
class Or(Expression):
    """At least one of the parts holds."""

    parts: tuple[Expression, ...]

    @property
    def scope(self) -> Scope:
        """The common scope of the parts, or both positions."""
        return _common_scope(self.parts)

    @property
    def english(self) -> str:
        """The parts, joined by "or"."""
        return " or ".join(english_part(part) for part in self.parts)

    def __repr__(self) -> str:
        return " | ".join(_source_part(part, ()) for part in self.parts)


@dataclass(frozen=True, slots=True, repr=False)
class Not(Expression):
    """The part does not hold."""

    part: Expression

    @property
    def scope(self) -> Scope:
        """The scope of the part."""
        return self.part.scope

    @property
    def english(self) -> str:
        """The part, as an exception."""
        return f"other than those {english_part(self.part)}"

    def __repr__(self) -> str:
        return f"~{_source_part(self.part, (And, Or))}"


def leaves(expression: Expression) -> Iterator[Expression]:
    """Yield the conditions and relations that an expression combines, in the order of its source.

    A condition with conditions as arguments comes before these.

    >>> from headtests.expressions import first, key
    >>> list(leaves(~first & key.repeats))
    [ht.first, key.repeats]
    """
    match expression:
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield expression
            for part in expression.inner:
                yield from leaves(part)


def _common_scope(parts: tuple[Expression, ...]) -> Scope:
    scopes = {part.scope for part in parts}
    return scopes.pop() if len(scopes) == 1 else "pair"


def english_part(part: Expression) -> str:
    """Return a clause that can stand inside another."""
    return f"({part.english})" if isinstance(part, And | Or) else part.english


def _source_part(part: Expression, looser: tuple[type[Expression], ...]) -> str:
    return f"({part!r})" if part.binds_loosely or isinstance(part, looser) else repr(part)
