"""How a family draws a prompt: choices that are recorded, and made again as they were or otherwise.

No tokenizer and no model: which tokens there are is told by a `Lexicon`. What is drawn, and in
which order, is the family's affair; what becomes of the choices, the chooser's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from headtests.errors import ClaimError
from headtests.expressions import Expression

T = TypeVar("T")
TokenKind = Expression | Sequence[int | str]
"""Which tokens may be drawn: a condition on `key`, or ids and texts that are one token each."""
MOST_CHOICES = 10_000
"""Choices that one prompt may take."""


@dataclass(frozen=True, slots=True)
class TokenRun:
    """Tokens that were drawn side by side."""

    ranks: tuple[int, ...]
    """Their places among the tokens that may be drawn."""
    least: int
    """How many there must be."""
    most: int
    """How many there may be."""
    tokens: int
    """How many different ones may be drawn."""


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number that was drawn, or the place of an option."""

    value: int
    least: int
    most: int


Choice = TokenRun | Number


def to_json(choices: Sequence[Choice]) -> list[list[Any]]:
    """Return choices in plain types: `[value, least, most]`, `[ranks, least, most, tokens]`.

    >>> from_json(to_json([Number(2, 0, 3)]))
    (Number(value=2, least=0, most=3),)
    """
    return [
        [one.value, one.least, one.most]
        if isinstance(one, Number)
        else [list(one.ranks), one.least, one.most, one.tokens]
        for one in choices
    ]


def from_json(found: object) -> tuple[Choice, ...]:
    """Return the choices that `to_json` told of; raises `ValueError` for anything else."""
    if not isinstance(found, list):
        raise ValueError(f"{found!r:.40} is no list of choices")
    return tuple(map(_from_json, found))


def _from_json(found: object) -> Choice:
    match found:
        case [int(value), int(least), int(most)]:
            return Number(value, least, most)
        case [list(ranks), int(least), int(most), int(tokens)] if all(
            type(rank) is int and rank >= 0 for rank in ranks
        ):
            return TokenRun(tuple(ranks), least, most, tokens)
        case _:
            raise ValueError(f"{found!r:.40} is no choice")


class Lexicon(Protocol):
    """What a family needs to know of a model's tokenizer, and of the corpus."""

    def tokens(self, of: TokenKind | None) -> Sequence[int]:
        """Return the ids that may be drawn, the simplest first; all ordinary ones for None."""

    def framed(self, ids: Sequence[int]) -> tuple[int, ...]:
        """Return ids with what stands around each prompt, such as BOS."""

    def ids_of(self, text: str) -> tuple[int, ...]:
        """Return the ids of a text, with what the BOS policy puts around it."""

    @property
    def documents(self) -> int:
        """How many documents the corpus has."""

    def document(self, number: int) -> tuple[int, ...]:
        """Return the ids of a document, without what stands around it."""


class Chooser(Protocol):
    """Whoever makes the choices."""

    def run(self, least: int, most: int, tokens: int) -> tuple[int, ...]:
        """Return from `least` to `most` places below `tokens`."""

    def number(self, least: int, most: int) -> int:
        """Return a number from `least` to `most`."""


class Simplest:
    """The chooser of the fewest and lowest."""

    def run(self, least: int, most: int, tokens: int) -> tuple[int, ...]:
        """Return as few places as there may be, all 0."""
        return (0,) * least

    def number(self, least: int, most: int) -> int:
        """Return the least."""
        return least


class Forced:
    """The chooser that makes given choices again, as far as they fit, and then asks another."""

    def __init__(self, choices: Sequence[Choice], then: Chooser) -> None:
        self._left = list(choices)
        self._then = then

    def run(self, least: int, most: int, tokens: int) -> tuple[int, ...]:
        """Return the next given run, cut or filled up where it does not fit."""
        given = self._next()
        if not isinstance(given, TokenRun):
            return self._then.run(least, most, tokens)
        ranks = tuple(min(rank, tokens - 1) for rank in given.ranks[:most])
        missing = least - len(ranks)
        return ranks if missing <= 0 else ranks + self._then.run(missing, missing, tokens)

    def number(self, least: int, most: int) -> int:
        """Return the next given number, or the nearest that there may be."""
        given = self._next()
        if not isinstance(given, Number):
            return self._then.number(least, most)
        return min(max(given.value, least), most)

    def _next(self) -> Choice | None:
        return self._left.pop(0) if self._left else None


class Draw:
    """What a family's function draws with.

    Whatever it draws here is searched, and made smaller when it breaks a claim. What it takes from
    elsewhere, such as `random`, cannot be replayed.
    """

    def __init__(self, lexicon: Lexicon, chooser: Chooser) -> None:
        self._lexicon = lexicon
        self._chooser = chooser
        self.choices: list[Choice] = []
        """What was drawn so far."""

    def tokens(
        self, least: int, most: int | None = None, *, of: TokenKind | None = None
    ) -> tuple[int, ...]:
        """Return the ids of `least` to `most` tokens; exactly `least` without `most`.

        `of` says which may be drawn: a condition on `key` such as `key.matches(r"^ [a-z]+$")`, or
        ids and texts that are one token each, the simplest first. Without it every token that is
        not special. Raises `ClaimError` for bounds out of order, and where nothing may be drawn.
        """
        most = least if most is None else most
        _require_bounds("tokens", least, most, 0)
        pool = self._lexicon.tokens(of)
        if not len(pool):
            raise ClaimError(
                f"there is no token to draw: of={of!r} leaves none of the tokenizer's."
            )
        ranks = self._chooser.run(least, most, len(pool))
        self._record(TokenRun(tuple(ranks), least, most, len(pool)))
        return tuple(int(pool[rank]) for rank in ranks)

    def integer(self, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`, both included."""
        _require_bounds("integer", least, most, None)
        value = self._chooser.number(least, most)
        self._record(Number(value, least, most))
        return value

    def choice(self, options: Sequence[T]) -> T:
        """Return one of some options; the first counts as the simplest."""
        if not len(options):
            raise ClaimError("there is nothing to choose from: choice() was given no options.")
        return options[self.integer(0, len(options) - 1)]

    def document(self) -> tuple[int, ...]:
        """Return the ids of a document of the corpus, without what stands around it."""
        if not self._lexicon.documents:
            raise ClaimError("the corpus has no documents to draw from. Name another corpus.")
        return self._lexicon.document(self.integer(0, self._lexicon.documents - 1))

    def framed(self, ids: Sequence[int]) -> tuple[int, ...]:
        """Return ids with what stands around each prompt: BOS, or what the tokenizer has for it.

        Under `headtests_bos = never`, that is nothing.
        """
        return self._lexicon.framed(ids)

    def _record(self, choice: Choice) -> None:
        self.choices.append(choice)
        if len(self.choices) > MOST_CHOICES:
            raise ClaimError(
                f"one prompt took more than {MOST_CHOICES:,} choices. Have the family draw fewer."
            )


def _require_bounds(name: str, least: object, most: object, floor: int | None) -> None:
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in (least, most))
    if not whole or least > most or (floor is not None and least < floor):  # type: ignore[operator]  # both are int where it is asked
        above = "" if floor is None else f" of {floor} or more"
        raise ClaimError(
            f"expected whole numbers{above}, the smaller first, in {name}() but found {least!r} "
            f"and {most!r}."
        )
