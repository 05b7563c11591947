"""Families of prompts as Hypothesis strategies, for `@given` in tests that take a `head`.

Hypothesis draws, makes smaller and replays; the families are those of `headtests.prompts`, drawn
from the tokenizer of the head's model. Imports Hypothesis, which is not installed with headtests.
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
"""The tokens of the head that the running test takes; the plugin sets it."""


def of_family(family: Family, *, head: "Head | None" = None) -> st.SearchStrategy[Any]:
    """Return the strategy of a family's prompts: texts of a family of texts, else token ids.

    In a test that takes `head` or `heads`, prompts are drawn from that head's tokenizer; elsewhere
    name the head. Raises `ClaimError` when it is drawn from and there is none.
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
    """Return the strategy of `prompts.repeated`: token ids."""
    return of_family(prompts.repeated(period, repeats, of=of), head=head)


def block_gap_block(
    block: Size = (2, 8),
    gap: Size = (0, 16),
    *,
    of: TokenKind | None = None,
    head: "Head | None" = None,
) -> st.SearchStrategy[list[int]]:
    """Return the strategy of `prompts.block_gap_block`: token ids."""
    return of_family(prompts.block_gap_block(block, gap, of=of), head=head)


def template(
    text: str, /, *, distinct: bool = True, **slots: Sequence[str]
) -> st.SearchStrategy[str]:
    """Return the strategy of `prompts.template`: texts."""
    return of_family(prompts.template(text, distinct=distinct, **slots))


def edited(
    length: Size = (4, 48),
    edits: Size = (0, 3),
    *,
    of: TokenKind | None = None,
    head: "Head | None" = None,
) -> st.SearchStrategy[list[int]]:
    """Return the strategy of `prompts.edited`: token ids."""
    return of_family(prompts.edited(length, edits, of=of), head=head)


def made_by(
    function: Callable[[Draw], Built], *, head: "Head | None" = None
) -> st.SearchStrategy[Any]:
    """Return the strategy of what a function draws, as in `prompts.family`."""
    found = function if isinstance(function, Family) else prompts.family(function)
    return of_family(found, head=head)


def _lexicon(head: "Head | None") -> Lexicon:
    found = CURRENT.get() if head is None else head.lexicon
    if found is None:
        raise ClaimError(
            "a strategy of prompts was drawn from where there is no head. Use it in a test that "
            "takes head or heads, or name one: strategies.repeated(head=head)."
        )
    return found


class _FromHypothesis:
    """The chooser that has Hypothesis make the choices."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def run(self, least: int, most: int, tokens: int) -> tuple[int, ...]:
        """Return places that Hypothesis draws, and makes fewer and lower."""
        ranks = st.lists(st.integers(0, tokens - 1), min_size=least, max_size=most)
        return tuple(self._draw(ranks))

    def number(self, least: int, most: int) -> int:
        """Return a number that Hypothesis draws, and brings nearer to the least."""
        return least + self._draw(st.integers(0, most - least))
