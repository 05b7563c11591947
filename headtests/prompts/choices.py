"""How a family draws a prompt: choices that are recorded, so that they can be replayed or varied.

No tokenizer and no model: a `Lexicon` says which tokens there are. The family decides what is drawn
and in which order; a `Chooser` makes each choice.
"""

import reprlib
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
    """Tokens that were drawn in sequence."""

    ranks: tuple[int, ...]
    """Their places among the tokens that may be drawn."""
    least: int
    """The fewest tokens that may be drawn."""
    most: int
    """The most tokens that may be drawn."""
    tokens: int
    """The number of different tokens to draw from."""


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number that was drawn, or the index of an option."""

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
        [choice.value, choice.least, choice.most]
        if isinstance(choice, Number)
        else [list(choice.ranks), choice.least, choice.most, choice.tokens]
        for choice in choices
    ]


def from_json(content: object) -> tuple[Choice, ...]:
    """Return the choices that `to_json` wrote; raises `ValueError` for anything else."""
    if not isinstance(content, list):
        raise ValueError(f"{reprlib.repr(content)} is not a list of choices")
    return tuple(map(_from_json, content))


def _from_json(content: object) -> Choice:
    match content:
        case [int(value), int(least), int(most)]:
            return Number(value, least, most)
        case [list(ranks), int(least), int(most), int(tokens)] if all(
            type(rank) is int and rank >= 0 for rank in ranks
        ):
            return TokenRun(tuple(ranks), least, most, tokens)
        case _:
            raise ValueError(f"{reprlib.repr(content)} is not a choice")


class Lexicon(Protocol):
    """What a family needs to know about a model's tokenizer and the corpus."""

    def tokens(self, of: TokenKind | None) -> Sequence[int]:
        """Return the ids that may be drawn, the simplest first; all ordinary ones for None."""

    def framed(self, ids: Sequence[int]) -> tuple[int, ...]:
        """Return ids with the special tokens around a prompt, such as BOS."""

    def ids_of(self, text: str) -> tuple[int, ...]:
        """Return the ids of a text, with the special tokens that the BOS policy adds."""

    @property
    def documents(self) -> int:
        """How many documents the corpus has."""

    def document(self, number: int) -> tuple[int, ...]:
        """Return the ids of a document, without the special tokens around it."""


class Chooser(Protocol):
    """Makes the choices of a prompt."""

    def run(self, least: int, most: int, tokens: int) -> tuple[int, ...]:
        """Return `least` to `most` numbers from 0 to `tokens - 1`."""

    def number(self, least: int, most: int) -> int:
        """Return a number from `least` to `most`, both included."""


class Simplest:
    """Chooses as few tokens as allowed, and the lowest numbers."""

    def run(self, least: int, most: int, tokens: int) -> tuple[int, ...]:
        """Return `least` zeros."""
        return (0,) * least

    def number(self, least: int, most: int) -> int:
        """Return `least`."""
        return least


class Forced:
    """Replays choices as far as they fit, and asks another chooser for the rest."""

    def __init__(self, choices: Sequence[Choice], then: Chooser) -> None:
        self._remaining = list(choices)
        self._then = then

    def run(self, least: int, most: int, tokens: int) -> tuple[int, ...]:
        """Return the next replayed run, cut or filled up to fit."""
        replayed = self._next()
        if not isinstance(replayed, TokenRun):
            return self._then.run(least, most, tokens)
        ranks = tuple(min(rank, tokens - 1) for rank in replayed.ranks[:most])
        missing = least - len(ranks)
        return ranks if missing <= 0 else ranks + self._then.run(missing, missing, tokens)

    def number(self, least: int, most: int) -> int:
        """Return the next replayed number, or the nearest number in the range."""
        replayed = self._next()
        if not isinstance(replayed, Number):
            return self._then.number(least, most)
        return min(max(replayed.value, least), most)

    def _next(self) -> Choice | None:
        return self._remaining.pop(0) if self._remaining else None


class Draw:
    """Draws the parts of a prompt; a family's function is called with one.

    Everything that is drawn here is searched, and made smaller when the prompt breaks a claim.
    Input from elsewhere, such as `random`, cannot be replayed.
    """

    def __init__(self, lexicon: Lexicon, chooser: Chooser) -> None:
        self._lexicon = lexicon
        self._chooser = chooser
        self.choices: list[Choice] = []
        """What was drawn until now."""

    def tokens(
        self, least: int, most: int | None = None, *, of: TokenKind | None = None
    ) -> tuple[int, ...]:
        """Return the ids of `least` to `most` tokens; exactly `least` without `most`.

        `of` limits the tokens: a condition on `key` such as `key.matches(r"^ [a-z]+$")`, or ids and
        texts of one token each, the simplest first. Without it, every token that is not special may
        be drawn. Raises `ClaimError` for bounds out of order, and where `of` leaves no token.
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
        """Return one of the options; the first counts as the simplest.

        Raises `ClaimError` where there are none.
        """
        if not len(options):
            raise ClaimError("there is nothing to choose from: choice() was given no options.")
        return options[self.integer(0, len(options) - 1)]

    def document(self) -> tuple[int, ...]:
        """Return the ids of a document of the corpus, without the special tokens around it.

        Raises `ClaimError` for a corpus without documents.
        """
        if not self._lexicon.documents:
            raise ClaimError("the corpus has no documents to draw from. Name another corpus.")
        return self._lexicon.document(self.integer(0, self._lexicon.documents - 1))

    def framed(self, ids: Sequence[int]) -> tuple[int, ...]:
        """Return ids with the special tokens around a prompt: BOS, or the tokenizer's substitute.

        With `headtests_bos = never`, the ids are returned as they are.
        """
        return self._lexicon.framed(ids)

    def _record(self, choice: Choice) -> None:
        self.choices.append(choice)
        if len(self.choices) > MOST_CHOICES:
            raise ClaimError(
                f"one prompt took more than {MOST_CHOICES:,} choices. Have the family draw fewer."
            )


def _require_bounds(name: str, least: object, most: object, floor: int | None) -> None:
    whole = all(isinstance(end, int) and not isinstance(end, bool) for end in (least, most))
    if not whole or least > most or (floor is not None and least < floor):  # type: ignore[operator]  # both are int here
        above = "" if floor is None else f" of {floor} or more"
        raise ClaimError(
            f"expected whole numbers{above}, the smaller first, in {name}() but found {least!r} "
            f"and {most!r}."
        )
