"""What claims about prompts are measured on: one prompt, or a search of a family of prompts.

A protocol, so that these claims know neither torch nor pytest; `headtests.sessions.session`
implements it.
"""

from collections.abc import Sequence
from typing import Protocol

from headtests.claims.definitions import RowOptions
from headtests.expressions.head_names import HeadName
from headtests.prompts.choices import Lexicon
from headtests.prompts.counterexamples import KnownPrompt, PromptClaim, Searched
from headtests.prompts.pattern import Pattern


class PromptEvidence(Protocol):
    """A model that prompts are put through, one at a time or as a family."""

    def pattern(self, head: HeadName, prompt: str | Sequence[int], options: RowOptions) -> Pattern:
        """Return the head's attention on one prompt."""

    @property
    def lexicon(self) -> Lexicon:
        """The model's tokens, as families of prompts draw them."""

    def search(
        self,
        head: HeadName,
        claim: PromptClaim,
        options: RowOptions,
        known: Sequence[KnownPrompt],
    ) -> Searched:
        """Return what a search of a claim's prompts finds, known ones tried first."""

    def margin(
        self, head: HeadName, claim: PromptClaim, options: RowOptions, prompt: str | Sequence[int]
    ) -> float:
        """Return how far one prompt is from breaking a claim; inf without an eligible row."""
