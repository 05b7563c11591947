"""Families of prompts as Hypothesis strategies, for `@given` in tests that take a `head`.

Hypothesis draws, shrinks and replays; the families are those of `headtests.prompts`, with tokens of
the head's model. Imports Hypothesis, which is not installed with headtests.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from headtests import prompts
from headtests.errors import ClaimError
from headtests.prompts import Draw, Family, Lexicon, TokenKind
from headtests.prompts.families import Built, Size

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError(
        "headtests.strategies needs Hypothesis, which is not installed: pip install hypothesis"
    ) from error

if TYPE_CHECKING:
    from headtests.sessions.head import Head

CURRENT: ContextVar[Lexicon | None] = ContextVar("headtests_lexicon", default=None)
"""The tokens of the head of the running test; the plugin sets it."""


def of_family(family: Family, *, head: "Head | None" = None) -> st.SearchStrategy[Any]:
    """Return a strategy for the prompts of a family: texts, or token ids for a family made of ids.

    In a test that takes `head` or `heads`, tokens are those of that head's model; elsewhere pass
    `head`. Drawing raises `ClaimError` where there is no head.
    """

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        made = family.make(_lexicon(head), _FromHypothesis(draw))
        return list(made.ids) if made.text is None else made.text

    return drawn()


def repeated(
    period: Size = (2, 16),
    repeats: Size = 2,
    *,
    of: TokenKind | None = None,
    head: "Head | None" = None,
) -> st.SearchStrategy[list[int]]:
    """Return a strategy for `prompts.repeated`: token ids."""
    return of_family(prompts.repeated(period, repeats, of=of), head=head)


def block_gap_block(
    block: Size = (2, 8),
    gap: Size = (0, 16),
    *,
    of: TokenKind | None = None,
    head: "Head | None" = None,
) -> st.SearchStrategy[list[int]]:
    """Return a strategy for `prompts.block_gap_block`: token ids."""
    return of_family(prompts.block_gap_block(block, gap, of=of), head=head)


def template(
    text: str, /, *, distinct: bool = True, **slots: Sequence[str]
) -> st.SearchStrategy[str]:
    """Return a strategy for `prompts.template`: texts."""
    return of_family(prompts.template(text, distinct=distinct, **slots))


def edited(
    length: Size = (4, 48),
    edits: Size = (0, 3),
    *,
    of: TokenKind | None = None,
    head: "Head | None" = None,
) -> st.SearchStrategy[list[int]]:
    """Return a strategy for `prompts.edited`: token ids."""
    return of_family(prompts.edited(length, edits, of=of), head=head)


def made_by(
    function: Callable[[Draw], Built], *, head: "Head | None" = None
) -> st.SearchStrategy[Any]:
    """Return a strategy for what a function draws, as in `prompts.family`."""
    family = function if isinstance(function, Family) else prompts.family(function)
    return of_family(family, head=head)


def _lexicon(head: "Head | None") -> Lexicon:
    lexicon = CURRENT.get() if head is None else head.lexicon
    if lexicon is None:
        raise ClaimError(
            "a strategy for prompts was drawn from where there is no head. Use it in a test that "
            "takes head or heads, or pass one: strategies.repeated(head=head)."
        )
    return lexicon


class _FromHypothesis:
    """Has Hypothesis make the choices."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def run(self, least: int, most: int, tokens: int) -> tuple[int, ...]:
        """Return places that Hypothesis draws; it shrinks them to fewer and lower ones."""
        ranks = st.lists(st.integers(0, tokens - 1), min_size=least, max_size=most)
        return tuple(self._draw(ranks))

    def number(self, least: int, most: int) -> int:
        """Return a number that Hypothesis draws; it shrinks towards the least."""
        return least + self._draw(st.integers(0, most - least))
